#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/world.h"
#include "data/augment.h"
#include "data/data_name.h"
#include "report/confusion.h"
#include "report/png.h"
#include "report/terminal.h"
#include "train/session.h"

namespace mnist_dist {
namespace {

using Digit = std::vector<std::uint8_t>;  ///< [side][side]

struct PreviewArguments {
  ConfigOptions config;
  int images = 8, draws = 6, epoch = 1;
  std::string out;
};

/// The pixels that normalise to these values. Erased pixels are 0 there, which is grey.
Digit pixels_of(const std::vector<float>& input, const Normalisation& normalisation) {
  Digit digit(input.size());
  for (std::size_t i = 0; i < input.size(); ++i)
    digit[i] = static_cast<std::uint8_t>(std::clamp(
        std::lround(255 * (input[i] * normalisation.sd + normalisation.mean)), 0L, 255L));
  return digit;
}

/// A training image, then the same image as the recipe changes it in consecutive epochs.
std::vector<Digit> row_of(const Session& session, const Config& config,
                          const PreviewArguments& arguments, int index) {
  const ImagesView& images = session.data.training.front();
  const std::span<const std::uint8_t> pixels(images.image(index), images.image_pixels());
  std::vector<Digit> row{Digit(pixels.begin(), pixels.end())};
  std::vector<float> input(images.image_pixels());
  for (int draw = 0; draw < arguments.draws; ++draw) {
    augment_image(pixels, config.augment, session.normalisation, config.train.seed,
                  static_cast<std::uint32_t>(images.first_row + index),
                  static_cast<std::uint32_t>(arguments.epoch - 1 + draw), input, images.side);
    row.push_back(pixels_of(input, session.normalisation));
  }
  return row;
}

constexpr int scale = 3, gap = 4;  // of the grid: pixels per pixel, and around each image

/// Throws: Error (usage) for more than 100 million pixels.
void check_size(int images, const PreviewArguments& arguments, int side) {
  constexpr std::int64_t most = 100'000'000;
  const std::int64_t cell = scale * side + gap, columns = arguments.draws + 1;
  const std::int64_t width = columns * cell + gap, height = images * cell + gap;
  if (width * height > most)
    throw usage_error(fmt::format("--out: the picture is too large (got {} x {} pixels, expected "
                                  "at most {} in all)",
                                  width, height, most),
                      "give fewer --images or --draws");
}

/// Three times as large, with a white frame around each.
Canvas grid_of(const std::vector<std::vector<Digit>>& rows, int side) {
  constexpr int white = 255;
  const int cell = scale * side + gap;
  Canvas canvas(static_cast<int>(rows.front().size()) * cell + gap,
                static_cast<int>(rows.size()) * cell + gap, white);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t column = 0; column < rows[row].size(); ++column)
      canvas.grey(static_cast<int>(column) * cell + gap, static_cast<int>(row) * cell + gap,
                  rows[row][column], side, scale);
  return canvas;
}

/// Side by side, as many as fit into the terminal.
std::string drawn(const std::vector<Digit>& row, int side) {
  const int cell = side + 1;
  const int columns = terminal_columns(Output::standard_out);
  const int fits = columns > 0 ? std::max(1, (columns + 1) / cell) : static_cast<int>(row.size());
  std::vector<std::string> out;
  for (int i = 0; i < std::min(fits, static_cast<int>(row.size())); ++i) {
    std::istringstream lines(draw_digit(row[static_cast<std::size_t>(i)], columns));
    std::string line;
    for (std::size_t n = 0; std::getline(lines, line); ++n)
      if (i == 0)
        out.push_back(line);
      else
        out[n] += "│" + line;
  }
  std::string text;
  for (const std::string& line : out) text += line + '\n';
  return text;
}

ExitCode run(Communicator& comm, const PreviewArguments& arguments, const Config& config) {
  const Session session = make_session(comm, config, {}, say_fitted);
  if (comm.rank() != 0) return ExitCode::ok;
  const ImagesView& training = session.data.training.front();
  const int images = std::min(arguments.images, training.count());
  if (!arguments.out.empty()) check_size(images, arguments, training.side);
  print_fitted(fmt::format("{} | {} | seed {}\n", arguments.config.title(config),
                           printable(data_title(session.source)), config.train.seed));
  std::vector<std::vector<Digit>> rows;
  for (int i = 0; i < images; ++i) {
    rows.push_back(row_of(session, config, arguments, i));
    if (arguments.out.empty())
      print_fitted(fmt::format("training image {}: label {}, then epochs {} to {}\n{}\n", i,
                               training.labels[static_cast<std::size_t>(i)], arguments.epoch,
                               arguments.epoch + arguments.draws - 1,
                               drawn(rows.back(), training.side)));
  }
  if (arguments.out.empty()) return ExitCode::ok;
  write_file_atomically(arguments.out, png_file(grid_of(rows, training.side)));
  print_fitted(fmt::format("{}\n", printable(arguments.out)));
  return ExitCode::ok;
}

}  // namespace

Command add_preview(CLI::App& app) {
  auto arguments = std::make_shared<PreviewArguments>();
  add_config_options(app, arguments->config);
  const auto count = [&](const char* name, int& value, const char* what, int most) {
    app.add_option(name, value, what)
        ->type_name("N")
        ->check(CLI::Range(1, most))
        ->capture_default_str();
  };
  count("--images", arguments->images, "Training images to show", 1000);
  count("--draws", arguments->draws, "Epochs to show per image", 100);
  count("--epoch", arguments->epoch, "First epoch to show", 100'000);
  app.add_option("--out", arguments->out,
                 "Write a PNG with one row per image instead of drawing in the terminal")
      ->type_name("FILE");
  app.footer(
      "The first picture of each row is the training image. The others are the inputs that "
      "training gets in consecutive epochs.");
  return [arguments] {
    const Config config = arguments->config.load();
    return in_world(config.comm.timeout,
                    [&](Communicator& comm) { return run(comm, *arguments, config); });
  };
}

}  // namespace mnist_dist
