#include "report/run_page.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/grouped.h"
#include "base/plural.h"
#include "base/printable.h"
#include "base/shell_word.h"
#include "base/standard_streams.h"
#include "data/data_name.h"
#include "model/summary.h"
#include "report/duration.h"
#include "report/known_spread.h"
#include "report/page.h"
#include "report/run_charts.h"
#include "report/run_mistakes.h"
#include "report/run_record.h"
#include "sweep/statistics.h"
#include "train/checkpoint.h"

namespace mnist_dist {
namespace {

/// "0.05 of 14 epochs": how far train.max_steps lets a run go.
std::string epochs_done(const RunRecord& run) {
  const double share = run.status.all_steps > 0 ? static_cast<double>(run.summary.steps) /
                                                      static_cast<double>(run.status.all_steps)
                                                : 0;
  return fmt::format("{:.2g} of {} epoch{}", share * run.status.epochs, run.status.epochs,
                     plural(run.status.epochs));
}

std::string spread_text(const RunRecord& run) {
  const auto known =
      run.summary.validation || !is_mnist(run.summary.data.hash) || run.status.state != "finished"
          ? std::nullopt
          : known_spread(run.summary.recipe);
  if (known)
    return fmt::format(
        ". Expected spread from seed to seed ±{:.2f} points (standard deviation of {} published "
        "seeds)",
        known->sd, known->seeds);
  if (run.summary.final.correct == run.images)
    return "";  // no mistake: the binomial standard error is 0
  return fmt::format(". {} images resolve ±{:.2f} points (one standard error)", grouped(run.images),
                     resolution(run.final_accuracy, run.images));
}

std::string score_text(const RunRecord& run) {
  const std::int64_t mistakes = run.images - run.summary.final.correct;
  std::string text = fmt::format("{:.2f} %", run.final_accuracy);
  if (run.images > 0)
    text +=
        fmt::format(": {} of {} {}{} images, {} mistake{}{}", grouped(run.summary.final.correct),
                    grouped(run.images), is_mnist(run.summary.data.hash) ? "MNIST " : "",
                    run.summary.scored(), grouped(mistakes), plural(mistakes), spread_text(run));
  return text;
}

struct Headline {
  const char* style;  ///< class of the page's style
  std::string text;
};

Headline headline_of(const RunRecord& run) {
  const RunStatus& status = run.status;
  if (run.ended && status.state == "max_steps")
    return {"INCOMPLETE", fmt::format("stopped by train.max_steps after {} step{} ({}): {}",
                                      grouped(run.summary.steps), plural(run.summary.steps),
                                      epochs_done(run), score_text(run))};
  if (run.ended) return {"DONE", score_text(run)};
  if (status.state == "diverged") return {"FAIL", "diverged: " + status.message};
  if (status.state == "failed") return {"FAIL", "not finished: " + status.message};
  const bool began = status.epoch > 0 || status.step > 0;
  return {"INCOMPLETE",
          fmt::format(
              "not finished: {}{}. Resume it with mnist-dist --resume --run-dir {}",
              status.state == "stopped" ? "stopped " : "",
              began ? "after " + place_text(static_cast<std::uint32_t>(status.epoch), status.step)
                    : "no checkpoint yet",
              shell_word(run.folder.string()))};
}

std::string model_section(const RunRecord& run) {
  if (!run.recipe) return "";
  const ModelSpec& model = run.recipe->model;
  const auto shapes = layer_shapes(model);
  std::string out =
      "<h2>Model</h2>\n<div class=\"scroll\"><table>\n<tr><th>#</th><th class=\"text\">layer</th>"
      "<th>output</th><th>parameters</th><th>receptive field</th></tr>\n";
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const LayerShape& s = shapes[i];
    out += fmt::format(
        "<tr><td>{}</td><td class=\"text\">{}</td><td>{}x{}x{}</td><td>{}</td><td>{}</td></tr>\n",
        i + 1, html_text(layer_description(model.layers[i], s)), s.out_channels, s.out_side,
        s.out_side, grouped(s.parameters), s.receptive_field);
  }
  return out + fmt::format(
                   "<tr><th></th><th class=\"text\">total</th><th></th><th>{}</th><th></th>"
                   "</tr>\n</table></div>\n",
                   grouped(parameter_count(model)));
}

std::string speed_section(const RunRecord& run) {
  if (!run.ended || run.summary.engine.name.empty()) return "";
  return "<h2>Speed</h2>\n" +
         html_pairs({{"training", fmt::format("{:.0f} images/s over the whole run",
                                              run.summary.images_per_second)},
                     {"time", duration(run.summary.seconds)},
                     {"machine", fmt::format("engine {} ({}), device {}, {} rank{} x {} thread{}",
                                             run.summary.engine.name, run.summary.engine.simd,
                                             run.summary.engine.device, run.summary.ranks,
                                             plural(run.summary.ranks), run.summary.threads,
                                             plural(run.summary.threads))}});
}

std::string use_section(const RunRecord& run) {
  if (!run.ended) return "";
  const std::string folder = shell_word(run.folder.string());
  return "<h2>Use it</h2>\n" +
         html_pairs({{"score again", fmt::format("mnist-dist evaluate {} --data {}", folder,
                                                 shell_word(run.summary.data.file))},
                     {"read images", fmt::format("mnist-dist predict --model {} my.png", folder)},
                     {"export", fmt::format("mnist-dist export {} --format onnx", folder)},
                     {"train again, compare bits", "mnist-dist verify " + folder},
                     {"spread over seeds",
                      fmt::format("mnist-dist sweep --config {} --seeds 0..9",
                                  shell_word((run.folder / "config.toml").string()))}});
}

std::string html_charts(const RunRecord& run) {
  const std::string charts = html_figure(accuracy_svg(run), "Early epochs may lie outside.") +
                             html_figure(loss_svg(run),
                                         "Training loss includes augmentation, "
                                         "dropout and label smoothing.") +
                             html_figure(rate_svg(run), "");
  return "<div class=\"charts\">\n" + charts + "</div>\n";
}

}  // namespace

std::string run_page(const std::filesystem::path& folder, const std::string& summary) {
  const RunRecord run = read_run(folder, summary);
  const Headline headline = headline_of(run);
  const std::string title = fmt::format("{}, seed {}", run.summary.recipe, run.summary.seed);
  std::string body = fmt::format("<h1>{}</h1>\n<p class=\"verdict {}\">{}</p>\n", html_text(title),
                                 headline.style, html_text(headline.text));
  body += data_warning(run.data, run.summary.validation);
  body += html_charts(run) + mistakes_section(run) + model_section(run) + speed_section(run) +
          use_section(run);
  body += "<h2>Provenance</h2>\n";
  if (!run.lines.empty())
    body += "<details><summary>summary.json</summary>\n" + html_pairs(run.lines) + "</details>\n";
  body += html_details("The recipe (config.toml)", run.recipe_text);
  body += html_details("metrics.csv", read_text_file(folder / "metrics.csv"));
  return html_page(fmt::format("{}: {}", title, headline.text), body);
}

void write_run_page(const std::filesystem::path& folder, const std::string& summary) {
  std::string page;
  try {
    page = run_page(folder, summary);
  } catch (const Error& error) {
    say_line(fmt::format("note: no report.html: {}", error.what()));
    return;
  }
  write_file_atomically(folder / "report.html", page);
}

}  // namespace mnist_dist
