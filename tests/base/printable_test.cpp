#include "base/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace mnist_dist {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const std::string text :
       {"data/mnist.h5", "B\xC3\xBCro", "\xE6\x95\xB0\xE5\xAD\x97", "\xF0\x9F\x98\x80", "a\\b"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesTheCodesOfTerminals) {
  EXPECT_EQ(printable("a\x1b[31mb\rc\nd\te\x7f"), "a\\x1b[31mb\\rc\\nd\\te\\x7f");
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\u009b31m");  // CSI as one character
  EXPECT_EQ(printable("\xE2\x80\xAEgnp.exe"), "\\u202egnp.exe");
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("a\xFFz"), "a\\xffz");
  EXPECT_EQ(printable("\xC3"), "\\xc3");                             // cut off
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(printable("\xE0\x80\xAF"), "\\xe0\\x80\\xaf");           // overlong
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // half of a surrogate pair
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
}

TEST(Printable, LinesKeepTheirEndsAndTabs) {
  EXPECT_EQ(printable_lines("a\tb\n\x1b"), "a\tb\n\\x1b");
}

TEST(Printable, ShortenedLeavesOutTheMiddle) {
  EXPECT_EQ(shortened("0123456789", 10), "0123456789");
  const std::string cut = shortened(std::string(50'000, 'a') + "the end", 100);
  EXPECT_EQ(cut.size(), 100U);
  EXPECT_TRUE(cut.starts_with("aaa")) << cut;
  EXPECT_TRUE(cut.ends_with("the end")) << cut;
  // Characters are not cut into bytes.
  std::string umlauts;
  for (int i = 0; i < 50; ++i) umlauts += "\xC3\xBC";
  EXPECT_EQ(printable(shortened(umlauts, 20)), shortened(umlauts, 20));
  EXPECT_EQ(shortened(umlauts, 20).size(), 2 * 15U + 5);
}

TEST(HtmlText, EscapesMarkup) {
  EXPECT_EQ(html_text("a<b & \"c\">"), "a&lt;b &amp; &quot;c&quot;&gt;");
}

TEST(HtmlText, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(html_text("a\x1b\xFF"
                      "b\n\xC2\x9B"),
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b\n\xEF\xBF\xBD");
}

}  // namespace
}  // namespace mnist_dist
