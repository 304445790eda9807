#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <csetjmp>

#include "runtime/images/codec.h"

// libjpeg leaves by longjmp, past no object with a destructor: see png.cpp.
namespace ganc::runtime {
namespace {

struct Session {
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf leave;
  char error[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void on_error(j_common_ptr jpeg) {
  auto* session = static_cast<Session*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, session->error);
  std::longjmp(session->leave, 1);
}

// Level -1 is a warning: data were damaged and would be guessed. Others are traces.
void on_message(j_common_ptr jpeg, int level) {
  if (level < 0) on_error(jpeg);
}

// A progressive file may ask for any number of passes over its pixels in a few bytes each.
void on_progress(j_common_ptr jpeg) {
  constexpr int most_scans = 100;
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= most_scans) return;
  auto* session = static_cast<Session*>(jpeg->client_data);
  std::snprintf(session->error, sizeof session->error, "more than %d scans", most_scans);
  std::longjmp(session->leave, 1);
}

bool read_header(Session& session, jpeg_decompress_struct& jpeg,
                 std::span<const std::uint8_t> bytes, ImageSize& size) {
  if (setjmp(session.leave)) return false;
  jpeg_create_decompress(&jpeg);
  jpeg.progress = &session.progress;
  jpeg_mem_src(&jpeg, bytes.data(), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  if (jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK) {
    std::snprintf(session.error, sizeof session.error,
                  "its colours are CMYK; save it as RGB or grey");
    return false;
  }
  jpeg.out_color_space = jpeg.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  size = {jpeg.image_width, jpeg.image_height, jpeg.out_color_space == JCS_RGB ? 3 : 1};
  return true;
}

bool read_pixels(Session& session, jpeg_decompress_struct& jpeg, Image& image) {
  if (setjmp(session.leave)) return false;
  jpeg_start_decompress(&jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = image.pixels.data() +
                   static_cast<std::ptrdiff_t>(jpeg.output_scanline) * image.width * image.channels;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

}  // namespace

Result<Image> decode_jpeg(std::span<const std::uint8_t> bytes) {
  Session session;
  jpeg_decompress_struct jpeg{};
  jpeg.err = jpeg_std_error(&session.errors);
  session.errors.error_exit = on_error;
  session.errors.emit_message = on_message;
  session.progress.progress_monitor = on_progress;
  jpeg.client_data = &session;
  const auto finish = [&](Result<Image> result) {
    jpeg_destroy_decompress(&jpeg);
    return result;
  };
  const auto damaged = [&] { return fail(std::string("damaged JPEG: ") + session.error); };
  ImageSize size;
  if (!read_header(session, jpeg, bytes, size)) return finish(damaged());
  if (auto fits = check_image_size(size, bytes.size()); !fits)
    return finish(std::unexpected(fits.error()));
  Image image{size.width, size.height, size.channels, {}};
  image.pixels.resize(static_cast<std::size_t>(size.width * size.height * size.channels));
  if (!read_pixels(session, jpeg, image)) return finish(damaged());
  return finish(std::move(image));
}

}  // namespace ganc::runtime
