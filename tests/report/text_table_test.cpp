#include "report/text_table.h"

#include <gmock/gmock.h>

namespace mnist_dist {
namespace {

const std::vector<TextColumn> table{{.name = "seed", .importance = 9},
                                    {.name = "rate", .width = 6, .importance = 1},
                                    {.name = "loss", .width = 6, .importance = 5}};

TEST(TextTable, LeavesOutColumnsByImportance) {
  EXPECT_EQ(TextTable(table, 0).header(), "seed    rate    loss\n");
  EXPECT_EQ(TextTable(table, 20).header(), "seed    rate    loss\n");
  EXPECT_EQ(TextTable(table, 19).header(), "seed    loss\n");
  EXPECT_EQ(TextTable(table, 19).row({"1", "0.1", "2.5"}), "   1     2.5\n");
  EXPECT_EQ(TextTable(table, 4).header(), "seed\n");
}

TEST(TextTable, NarrowsAColumnBeforeItLeavesOneOut) {
  std::vector<TextColumn> wide{{.name = "layer", .left = true, .importance = 9, .narrowest = 6},
                               {.name = "size", .importance = 1}};
  const std::vector<std::vector<std::string>> rows{{"conv to 12", "144"}, {"pool", "0"}};
  EXPECT_EQ(text_table(wide, rows, 0), "layer       size\nconv to 12   144\npool           0\n");
  EXPECT_EQ(text_table(wide, rows, 14), "layer     size\nconv to    144\n12\npool         0\n");
  EXPECT_EQ(text_table(wide, rows, 11), "layer\nconv to 12\npool\n");
}

TEST(TextTable, CountsCharactersAndEscapesControlCharacters) {
  const std::vector<TextColumn> names{{.name = "name", .left = true}, {.name = "n"}};
  EXPECT_EQ(text_table(names, {{"\u00e9t\u00e9", "1"}, {"a\nb", "2"}}, 0),
            "name  n\n\u00e9t\u00e9   1\na\\nb  2\n");
}

TEST(TextTable, NoLineIsLongerThanTheTerminal) {
  const std::string hash(64, 'f');
  for (int columns = 1; columns < 90; ++columns) {
    const std::string text =
        text_table({{.name = "a", .left = true, .importance = 2, .narrowest = 8},
                    {.name = "b", .width = 3, .importance = 1}},
                   {{hash, "1"}, {"two words", hash}}, columns) +
        folded("recorded  " + hash + "  fused\n", columns, 12) +
        wrapped_fields("recipe | " + hash + " | seed 1", columns);
    for (std::size_t from = 0, to; from < text.size(); from = to + 1) {
      to = text.find('\n', from);
      EXPECT_LE(to - from, static_cast<std::size_t>(columns)) << text;
    }
  }
}

TEST(Folded, BreaksAtBlanksAndLongWordsAnywhere) {
  EXPECT_EQ(folded("one two  three\nfour\n", 0), "one two  three\nfour\n");
  EXPECT_EQ(folded("one two  three\nfour\n", 9), "one two\n  three\nfour\n");
  EXPECT_EQ(folded("a sha256", 8), "a sha256");
  EXPECT_EQ(folded("ab 0123456789", 8), "ab 01234\n  56789");
  EXPECT_EQ(folded("ab 0123456789 a", 8), "ab 01234\n  56789\n  a");
  EXPECT_EQ(folded("0123456789 ab c", 8), "01234567\n  89 ab\n  c");
  EXPECT_EQ(folded("name:  first second", 15, 7), "name:  first\n       second");
}

TEST(WrappedFields, AreBrokenBetweenFields) {
  EXPECT_EQ(wrapped_fields("a | b | c", 0), "a | b | c\n");
  EXPECT_EQ(wrapped_fields("aaaa | bbbb | cccc", 12), "aaaa | bbbb\n  cccc\n");
}

}  // namespace
}  // namespace mnist_dist
