#include "common/data/strip.hpp"

#include <gtest/gtest.h>

namespace moe {
namespace {

TEST(StripLeadingComments, DropsLicenceButKeepsCommentsInTheCode) {
  EXPECT_EQ(
      strip_leading_comments("// licence\n//\n\n/* more\n * of it */\n\n  int x;  // kept\n/* kept */\n"),
      "  int x;  // kept\n/* kept */\n");
}

TEST(StripLeadingComments, LeavesSourceWithoutCommentsAlone) {
  EXPECT_EQ(strip_leading_comments("#pragma once\n"), "#pragma once\n");
}

TEST(StripLeadingComments, NothingButCommentsLeavesNothing) {
  EXPECT_EQ(strip_leading_comments("// a\n/* b */\n"), "");
  EXPECT_EQ(strip_leading_comments("/* never closed"), "");
  EXPECT_EQ(strip_leading_comments("// no end of line"), "");
  EXPECT_EQ(strip_leading_comments(""), "");
}

TEST(StripToGloss, KeepsDefinitionAndExamplesOnly) {
  EXPECT_EQ(strip_to_gloss("  1 This software | is licensed  \n"
                           "00001740 29 v 01 hold 0 000 | keep in a hand; \"hold the rope\"  \n"
                           "00002573 29 v 01 rest 1 000 without a gloss\n"
                           "00002724 29 v 01 choke 0 000 | be unable to breathe  \n"),
            "keep in a hand; \"hold the rope\"\nbe unable to breathe\n");
}

TEST(StripToGloss, EmptyLinesAreDropped) {
  EXPECT_EQ(strip_to_gloss("\n\n"), "");
}

TEST(StripVerseReference, DropsBookAndNumberOnly) {
  EXPECT_EQ(strip_verse_reference("Ge1:1 In the beginning\n1Jn2:3 And hereby: we know\nno reference: here\n"),
            "In the beginning\nAnd hereby: we know\nno reference: here\n");
}

TEST(StripLayout, DropsContentsRulesAndIndentation) {
  EXPECT_EQ(strip_layout("Title\n\n-----\n\nPreface\n    1. First\n    1.1. Inner\nA.1. Last\n\n\n"
                         "1. First\n\n    Some words\n      * a point\n\n    1.1. Inner\n\nend"),
            "Title\n\n1. First\n\nSome words\n  * a point\n\n1.1. Inner\n\nend\n\n");
}

TEST(StripLayout, KeepsTheLastColumnOfATable) {
  EXPECT_EQ(strip_layout("    +-----+\n    | key |meaning  |\n    |-----+---|\n    |q    |quit the |\n"
                         "    |     |program  |\n    +-----+\n"),
            "meaning\nquit the\nprogram\n\n");
}

TEST(StripLayout, KeepsAnItemThatIsNumberedAlone) {
  EXPECT_EQ(strip_layout("     1. assign\n\n     2. name it\n        well\n"),
            " 1. assign\n\n 2. name it\n    well\n\n");
}

TEST(StripLayout, NoBreakSpacesAreSpaces) {
  EXPECT_EQ(strip_layout("\u00A0 \u00A0 text\u00A0 here\n\u00A0\n"), "text  here\n\n");
}

TEST(StripLayout, AnyBytesPass) {
  EXPECT_EQ(strip_layout(std::string("\0\xff|\n.\n1.\n|\n", 11)), std::string("\0\xff|\n.\n1.\n\n", 10));
}

}  // namespace
}  // namespace moe
