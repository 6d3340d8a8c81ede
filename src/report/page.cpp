#include "report/page.h"

#include <fmt/format.h>

#include "base/printable.h"
#include "report/chart.h"

namespace mnist_dist {
namespace {

const char* const style = R"(
:root{color-scheme:light dark;--ink:#111827;--soft:#4b5563;--paper:#fff;--line:#e5e7eb;
  --box:#f3f4f6;--hit:#fee2e2;--warn:#92400e;--link:#1d4ed8;--heat:96,165,250}
@media (prefers-color-scheme:dark){
:root{--ink:#e5e7eb;--soft:#9ca3af;--paper:#111827;--line:#374151;--box:#1f2937;--hit:#7f1d1d;
  --warn:#fbbf24;--link:#93c5fd;--heat:37,99,235}
svg [fill="#111827"]{fill:#e5e7eb}svg [fill="#4b5563"]{fill:#9ca3af}
svg [stroke="#e5e7eb"]{stroke:#374151}svg [stroke="#fff"]{stroke:#111827}
svg [fill="#fff"]{fill:#111827}
svg [stroke="#2563eb"]{stroke:#60a5fa}svg [fill="#2563eb"]{fill:#60a5fa}
svg [stroke="#dc2626"]{stroke:#f87171}svg [fill="#dc2626"]{fill:#f87171}
svg [stroke="#b45309"]{stroke:#fbbf24}svg [fill="#b45309"]{fill:#fbbf24}
svg [stroke="#6b7280"]{stroke:#9ca3af}svg [fill="#6b7280"]{fill:#9ca3af}}
body{margin:0 auto;padding:12px 16px 40px;max-width:960px;font:16px/1.5 system-ui,sans-serif;
  color:var(--ink);background:var(--paper)}
h1{font-size:1.3em;margin:.4em 0;overflow-wrap:anywhere}h2{font-size:1.1em;margin:1.6em 0 .4em}
a{color:var(--link)}
.verdict{padding:12px 16px;border-radius:8px;color:#fff;font-weight:600;overflow-wrap:anywhere}
.PASS{background:#15803d}.FAIL{background:#b91c1c}.INCOMPLETE{background:#a16207}
.DONE{background:#1d4ed8}
.warn{padding:8px 16px;border:2px solid #b45309;border-radius:8px;color:var(--warn);font-weight:600;
  margin:8px 0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 18px}
figure{margin:14px 0;max-width:640px}figure svg{width:100%;height:auto;display:block}
figcaption{font-size:.85em;color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:.6em 0;font-size:.92em}
dt{color:var(--soft);max-width:42vw;overflow-wrap:anywhere}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85em}td,th{padding:3px 9px;
  text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
.text{text-align:left;white-space:normal;min-width:140px}.note{font-size:.85em;color:var(--soft);
  margin:.3em 0}
.diag{background:var(--box)}.hit{background:var(--hit)}
.matrix td,.matrix th{padding:3px 2px;min-width:22px;text-align:center}.matrix{font-size:.8em}
.digits{display:grid;grid-template-columns:repeat(auto-fill,minmax(92px,1fr));gap:10px}
.digits div{font-size:.75em;line-height:1.35;color:var(--soft)}.digits b{color:var(--ink)}
.digits img{width:84px;height:84px;image-rendering:pixelated;display:block;border-radius:4px}
pre{overflow-x:auto;background:var(--box);padding:10px;border-radius:6px;font-size:.8em}
code{overflow-wrap:anywhere}summary{cursor:pointer;padding:4px 0}
@media (max-width:500px){td,th{padding:3px 5px}}
)";

}  // namespace

std::string html_page(const std::string& title, const std::string& body, int refresh_seconds) {
  const std::string refresh =
      refresh_seconds > 0
          ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", refresh_seconds)
          : "";
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n{}"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      refresh, html_text(title), style, body);
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

std::string data_warning(const std::string& data, bool validation) {
  std::string text;
  if (!data.empty() && data != "MNIST")
    text = fmt::format("<p class=\"warn\">{}: these results are not about MNIST.</p>\n",
                       html_text(data));
  if (validation)
    text +=
        "<p class=\"warn\">Validation rows of the training set: the test images were not "
        "opened.</p>\n";
  return text;
}

std::string html_details(const std::string& summary, const std::string& text) {
  return fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n", html_text(summary),
                     html_text(text));
}

}  // namespace mnist_dist
