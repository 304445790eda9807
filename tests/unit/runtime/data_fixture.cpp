#include "data_fixture.h"

#include <cstdio>

#include <jpeglib.h>
#include <zlib.h>

namespace ganc::runtime {

Bytes gzip_bytes(const Bytes& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes packed(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes jpeg_bytes(const Image& image, bool progressive) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.input_components = static_cast<int>(image.channels);
  jpeg.in_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 98, TRUE);
  if (progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(image.pixels.data()) +
                static_cast<std::ptrdiff_t>(jpeg.next_scanline) * image.width * image.channels;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  Bytes bytes(memory, memory + size);
  jpeg_destroy_compress(&jpeg);
  std::free(memory);
  return bytes;
}

namespace {

void append_word(Bytes& bytes, std::uint32_t word) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
}

void append_chunk(Bytes& png, const std::string& name, const Bytes& content) {
  append_word(png, static_cast<std::uint32_t>(content.size()));
  const std::size_t begin = png.size();
  png.insert(png.end(), name.begin(), name.end());
  png.insert(png.end(), content.begin(), content.end());
  const auto length = static_cast<uInt>(png.size() - begin);
  append_word(png, static_cast<std::uint32_t>(crc32(0, png.data() + begin, length)));
}

}  // namespace

Bytes png_of(std::uint32_t width, std::uint32_t height, int depth, int type, const Bytes& rows,
             const std::vector<std::pair<std::string, Bytes>>& chunks) {
  Bytes png = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
  Bytes header;
  append_word(header, width);
  append_word(header, height);
  for (const int byte : {depth, type, 0, 0, 0}) header.push_back(static_cast<std::uint8_t>(byte));
  append_chunk(png, "IHDR", header);
  for (const auto& [name, content] : chunks) append_chunk(png, name, content);
  uLongf packed = compressBound(rows.size());
  Bytes pixels(packed);
  REQUIRE(compress(pixels.data(), &packed, rows.data(), rows.size()) == Z_OK);
  pixels.resize(packed);
  append_chunk(png, "IDAT", pixels);
  append_chunk(png, "IEND", {});
  return png;
}

Bytes npy_bytes(const std::string& type, const std::string& shape, const Bytes& content) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() & 255);
  start += static_cast<char>(header.size() >> 8);
  start += header;
  Bytes bytes(start.begin(), start.end());
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

}  // namespace ganc::runtime
