#include "report/page.h"

#include <fmt/format.h>

#include "base/printable.h"
#include "report/chart.h"

namespace mnist_dist {
namespace {

const char* const style = R"(
body{margin:0 auto;padding:12px 16px 40px;max-width:720px;font:16px/1.5 system-ui,sans-serif;color:#111827;background:#fff}
h1{font-size:1.3em;margin:.4em 0}h2{font-size:1.1em;margin:1.6em 0 .4em}
.verdict{padding:12px 16px;border-radius:8px;color:#fff;font-weight:600}
.PASS{background:#15803d}.FAIL{background:#b91c1c}.INCOMPLETE{background:#a16207}
.warn{padding:8px 16px;border:2px solid #b45309;border-radius:8px;color:#92400e;font-weight:600;margin:8px 0}
figure{margin:14px 0}figure svg{width:100%;height:auto;display:block}figcaption{font-size:.85em;color:#4b5563}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:.6em 0;font-size:.92em}dt{color:#4b5563}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85em}td,th{padding:3px 9px;text-align:right;border-bottom:1px solid #e5e7eb;white-space:nowrap}
.text{text-align:left;white-space:normal;min-width:140px}.note{font-size:.85em;color:#4b5563;margin:.3em 0}
.diag{background:#f3f4f6}.hit{background:#fee2e2}
.digits{display:grid;grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:10px}
.digits div{font-size:.75em;line-height:1.35;color:#374151}.digits img{width:84px;height:84px;image-rendering:pixelated;display:block;border-radius:4px}
pre{overflow-x:auto;background:#f3f4f6;padding:10px;border-radius:6px;font-size:.8em}code{overflow-wrap:anywhere}summary{cursor:pointer}
)";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      html_text(title), style, body);
}

std::string html_figure(const std::string& svg, const std::string& caption) {
  return svg.empty() ? ""
                     : fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", svg,
                                   html_text(caption));
}

std::string html_pairs(const std::vector<std::pair<std::string, std::string>>& lines) {
  std::string out = "<dl>\n";
  constexpr std::size_t most = 4000;  // a command with many settings is whole
  for (const auto& [name, text] : lines)
    out +=
        fmt::format("<dt>{}</dt><dd>{}</dd>\n", html_text(name), html_text(shortened(text, most)));
  return out + "</dl>\n";
}

std::string data_warning(const std::string& data) {
  if (data.empty() || data == "MNIST") return {};
  return fmt::format("<p class=\"warn\">{}: these results are not about MNIST.</p>\n",
                     html_text(data));
}

std::string html_details(const std::string& summary, const std::string& text) {
  return fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n", html_text(summary),
                     html_text(text));
}

}  // namespace mnist_dist
