#include <png.h>

#include <csetjmp>
#include <cstring>

#include "runtime/images/codec.h"

// libpng leaves by longjmp, past no object with a destructor: everything that owns memory lives in
// the caller's frame, and what changes between setjmp and longjmp is reached through pointers.
namespace ganc::runtime {
namespace {

struct Session {
  std::span<const std::uint8_t> input;
  std::size_t position = 0;
  std::vector<std::uint8_t> output;
  std::string error;
  std::jmp_buf leave;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* session = static_cast<Session*>(png_get_error_ptr(png));
  session->error = message;
  std::longjmp(session->leave, 1);
}

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* session = static_cast<Session*>(png_get_io_ptr(png));
  if (count > session->input.size() - session->position) png_error(png, "the file ends too early");
  std::memcpy(to, session->input.data() + session->position, count);
  session->position += count;
}

void write_bytes(png_structp png, png_bytep from, std::size_t count) {
  auto* session = static_cast<Session*>(png_get_io_ptr(png));
  session->output.insert(session->output.end(), from, from + count);
}

// Chunks without influence on the pixels are skipped unread: a camera's broken profile is no broken
// image.
void skip_metadata(png_structp png) {
  static constexpr png_byte chunks[] =
      "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0"
      "sTER\0tEXt\0tIME\0zTXt";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, chunks, sizeof chunks / 5);
}

// After it rows are 8-bit grey or RGB.
void ask_for_bytes(png_structp png, png_infop info) {
  const png_byte type = png_get_color_type(png, info);
  const png_byte depth = png_get_bit_depth(png, info);
  if (depth == 16) png_set_scale_16(png);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_alpha(png);  // also the transparent colours of a palette
}

struct Rows {
  ImageSize size;
  std::vector<png_bytep> pointers;
};

// Everything up to the pixels; false with session.error set.
bool read_header(Session& session, png_structp png, png_infop info, ImageSize& size) {
  if (setjmp(session.leave)) return false;
  png_set_user_limits(png, 1 << 20, 1 << 20);
  png_set_chunk_malloc_max(png, 1 << 20);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  skip_metadata(png);
  png_set_read_fn(png, &session, read_bytes);
  png_read_info(png, info);
  ask_for_bytes(png, info);
  size.width = png_get_image_width(png, info);
  size.height = png_get_image_height(png, info);
  size.channels = (png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR) ? 3 : 1;
  return true;
}

bool read_pixels(Session& session, png_structp png, png_infop info, Rows& rows) {
  if (setjmp(session.leave)) return false;
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != static_cast<std::size_t>(rows.size.width * rows.size.channels))
    png_error(png, "a pixel format that is not known");
  png_read_image(png, rows.pointers.data());
  png_read_end(png, nullptr);
  return true;
}

bool write_all(Session& session, png_structp png, png_infop info, const Image& image,
               std::vector<png_bytep>& rows) {
  if (setjmp(session.leave)) return false;
  png_set_write_fn(png, &session, write_bytes, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), 8,
               image.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, 6);
  png_write_info(png, info);
  png_write_image(png, rows.data());
  png_write_end(png, info);
  return true;
}

std::vector<png_bytep> row_pointers(const Image& image) {
  std::vector<png_bytep> rows(static_cast<std::size_t>(image.height));
  auto* pixel = const_cast<png_bytep>(image.pixels.data());
  for (png_bytep& row : rows) {
    row = pixel;
    pixel += image.width * image.channels;
  }
  return rows;
}

}  // namespace

Result<Image> decode_png(std::span<const std::uint8_t> bytes) {
  Session session{.input = bytes};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &session, on_error, on_error);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  if (!info) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    return fail("no memory to decode it");
  }
  const auto finish = [&](Result<Image> result) {
    png_destroy_read_struct(&png, &info, nullptr);
    return result;
  };
  Rows rows;
  if (!read_header(session, png, info, rows.size))
    return finish(fail("damaged PNG: " + session.error));
  if (auto fits = check_image_size(rows.size, bytes.size()); !fits)
    return finish(std::unexpected(fits.error()));
  Image image{rows.size.width, rows.size.height, rows.size.channels, {}};
  image.pixels.resize(static_cast<std::size_t>(image.width * image.height * image.channels));
  rows.pointers = row_pointers(image);
  if (!read_pixels(session, png, info, rows)) return finish(fail("damaged PNG: " + session.error));
  if (session.position != bytes.size()) return finish(fail("damaged PNG: bytes after its end"));
  return finish(std::move(image));
}

Result<std::vector<std::uint8_t>> encode_png(const Image& image) {
  Session session;
  // Noise takes a little more than its pixels; what is not written takes no memory.
  session.output.reserve(image.pixels.size() + image.pixels.size() / 64 + 4096);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &session, on_error, on_error);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  std::vector<png_bytep> rows = row_pointers(image);
  const bool written = info && write_all(session, png, info, image, rows);
  png_destroy_write_struct(&png, &info);
  if (!written) return fail(session.error.empty() ? "no memory to encode it" : session.error);
  return std::move(session.output);
}

}  // namespace ganc::runtime
