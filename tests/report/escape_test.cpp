#include "common/report/escape.hpp"

#include <gtest/gtest.h>

namespace moe {
namespace {

TEST(HtmlEscape, MarkupBecomesText) {
  EXPECT_EQ(html_escape("<a href=\"x\">Tom & 'Jerry'</a>"),
            "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Jerry&#39;&lt;/a&gt;");
}

TEST(HtmlEscape, AnyBytesBecomeWellFormedText) {
  EXPECT_EQ(html_escape(std::string("\0\xFF", 2)), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(html_escape("日本\n\t"), "日本\n\t");
}

TEST(Replaced, AllOccurrencesAndNothingTwice) {
  EXPECT_EQ(replaced("aXbX", "X", "XX"), "aXXbXX");
  EXPECT_EQ(replaced("", "X", "y"), "");
}

}  // namespace
}  // namespace moe
