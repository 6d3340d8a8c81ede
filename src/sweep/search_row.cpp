#include "sweep/search_row.h"

#include <fmt/format.h>

#include "base/csv_columns.h"

namespace mnist_dist {
namespace {

/// The one list of the columns of tuning.csv but the first, the place: header, writing and reading
/// all walk it.
template <class Row, class Visitor>
void visit(Row&& row, const Visitor& visitor) {
  visitor({"candidate"}, row.candidate);
  visitor({"recipe"}, row.recipe);
  visitor({"parameters"}, row.parameters);
  visitor({"rounds"}, row.rounds);
  visitor({"seeds"}, row.seeds);
  visitor({"diverged"}, row.diverged);
  visitor({"mean_validation_accuracy", "{:.4f}", 0, 100}, row.mean);
  visitor({"sd", "{:.4f}", 0, 100}, row.sd);
  visitor({"min_validation_accuracy", "{:.4f}", 0, 100}, row.min);
  visitor({"mean_validation_loss", "{:.6f}", any_value}, row.loss);
  visitor({"behind", "{:.4f}", -100, 100}, row.behind);
  visitor({"behind_low", "{:.4f}", any_value}, row.behind_low);
  visitor({"behind_high", "{:.4f}", any_value}, row.behind_high);
  visitor({"loss_behind", "{:.6f}", any_value}, row.loss_behind);
  visitor({"loss_behind_low", "{:.6f}", any_value}, row.loss_behind_low);
  visitor({"loss_behind_high", "{:.6f}", any_value}, row.loss_behind_high);
  visitor({"seconds", "{:.3f}", any_value}, row.seconds);
  visitor({"settings"}, row.settings);  // the last one: it may have commas
}

}  // namespace

std::string SearchRow::name() const {
  return settings.empty() ? recipe : fmt::format("{} with {}", recipe, settings);
}

std::string candidate_folder(std::int64_t candidate) {
  return fmt::format("candidate{:03}", candidate);
}

std::string search_table(const std::vector<SearchRow>& rows) {
  std::string text = "place,";
  visit(SearchRow{}, CsvHeader{text});
  text.back() = '\n';
  int place = 0;
  for (const SearchRow& row : rows) {
    text += fmt::format("{},", ++place);
    visit(row, CsvLine{text});
    text.back() = '\n';
  }
  return text;
}

std::vector<SearchRow> read_search_table(const std::filesystem::path& file) {
  const CsvTable table(file);
  std::vector<SearchRow> rows(table.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const CsvReader read{table, i};
    visit(rows[i], [&](const CsvColumn& column, auto& value) {
      // Columns that an earlier version did not have stay empty.
      if (!requires { value.reset(); } || table.has(column.name)) read(column, value);
    });
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
