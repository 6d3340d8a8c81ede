#include "sweep/search_row.h"

#include <fmt/format.h>

#include <limits>

#include "base/csv.h"

namespace mnist_dist {
namespace {

constexpr double any = std::numeric_limits<double>::max();

struct Column {
  const char* name;
  int decimals = 0;               ///< of a real number
  double low = -any, high = any;  ///< of a real number
};

/// The one list of the columns of tuning.csv but the first, the place: header, writing and reading
/// all walk it.
template <class Row, class Visitor>
void visit(Row& row, const Visitor& visitor) {
  visitor({"candidate"}, row.candidate);
  visitor({"recipe"}, row.recipe);
  visitor({"parameters"}, row.parameters);
  visitor({"rounds"}, row.rounds);
  visitor({"seeds"}, row.seeds);
  visitor({"diverged"}, row.diverged);
  visitor({"mean_validation_accuracy", 4, 0, 100}, row.mean);
  visitor({"sd", 4, 0, 100}, row.sd);
  visitor({"min_validation_accuracy", 4, 0, 100}, row.min);
  visitor({"mean_validation_loss", 6}, row.loss);
  visitor({"behind", 4, -100, 100}, row.behind);
  visitor({"behind_low", 4}, row.behind_low);
  visitor({"behind_high", 4}, row.behind_high);
  visitor({"loss_behind", 6}, row.loss_behind);
  visitor({"loss_behind_low", 6}, row.loss_behind_low);
  visitor({"loss_behind_high", 6}, row.loss_behind_high);
  visitor({"seconds", 3}, row.seconds);
  visitor({"settings"}, row.settings);  // the last one: it may have commas
}

std::string cell(const Column& column, const std::optional<double>& value) {
  return value ? fmt::format("{:.{}f}", *value, column.decimals) : "";
}
template <class T>
std::string cell(const Column&, const T& value) {
  return fmt::format("{}", value);
}

/// Fills the members of a row from its cells.
class Reader {
 public:
  Reader(const CsvTable& table, std::size_t row) : table_(table), row_(row) {}
  void operator()(const Column& column, std::int64_t& value) const {
    value = table_.integer(row_, column.name, 0, std::numeric_limits<std::int64_t>::max());
  }
  void operator()(const Column& column, std::string& value) const {
    value = table_.text(row_, column.name);
  }
  void operator()(const Column& column, std::optional<double>& value) const {
    if (!table_.has(column.name) || table_.text(row_, column.name).empty()) return;
    value = column.high == any ? table_.number(row_, column.name)
                               : table_.number(row_, column.name, column.low, column.high);
  }

 private:
  const CsvTable& table_;
  std::size_t row_;
};

}  // namespace

std::string SearchRow::name() const {
  return settings.empty() ? recipe : fmt::format("{} with {}", recipe, settings);
}

std::string candidate_folder(std::int64_t candidate) {
  return fmt::format("candidate{:03}", candidate);
}

std::string search_table(const std::vector<SearchRow>& rows) {
  std::string text = "place";
  const SearchRow none;
  visit(none, [&](const Column& column, const auto&) { text += fmt::format(",{}", column.name); });
  int place = 0;
  for (const SearchRow& row : rows) {
    text += fmt::format("\n{}", ++place);
    visit(row, [&](const Column& column, const auto& value) {
      text += ',';
      text += cell(column, value);
    });
  }
  return text + "\n";
}

std::vector<SearchRow> read_search_table(const std::filesystem::path& file) {
  const CsvTable table(file);
  std::vector<SearchRow> rows(table.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    visit(rows[i], Reader(table, i));
    const SearchRow& row = rows[i];
    if (row.diverged > row.seeds)
      throw table.wrong(i, "diverged", fmt::format("0 to {}", row.seeds));
    const auto need = [&](const std::optional<double>& value, const char* column,
                          const char* because) {
      if (!value)
        throw table.wrong(i, column, fmt::format("a number, because {} has one", because));
    };
    if (row.mean) {
      need(row.sd, "sd", "mean_validation_accuracy");
      need(row.min, "min_validation_accuracy", "mean_validation_accuracy");
      need(row.loss, "mean_validation_loss", "mean_validation_accuracy");
    }
    if (row.behind_high) {
      need(row.behind, "behind", "behind_high");
      need(row.behind_low, "behind_low", "behind_high");
    }
  }
  return rows;
}

}  // namespace mnist_dist
