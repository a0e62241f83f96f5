#include <gmock/gmock.h>

#include "agent/base/text.h"
#include "agent/config/config.h"
#include "small_registry.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;

TEST(Sample, LoadsWithoutAFault) {
  Loaded loaded =
      parse_config(default_config(testing::small_registry()), "sample", testing::small_registry());
  for (const Fault& fault : loaded.faults) ADD_FAILURE() << to_string(fault);
  EXPECT_EQ(loaded.config.intakes.size(), 2u);
  EXPECT_EQ(loaded.config.destinations.size(), 1u);
}

// Comments of one '#' and a blank are what a person may take the mark off.
std::string uncommented(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    std::size_t equals = line.find(" = ");
    bool option = line.starts_with("# ") && equals != line.npos &&
                  line.substr(2, equals - 2).find(' ') == line.npos;
    bool table = line.starts_with("# [");
    std::string_view kept = option || table ? line.substr(2) : line;
    out += std::string(kept.starts_with("# ") ? "" : kept) + "\n";
  }
  return out;
}

TEST(Sample, EveryExampleInItIsReadWithoutATypeFault) {
  std::string text = uncommented(default_config(testing::small_registry()));
  for (const Fault& fault : parse_config(text, "sample", testing::small_registry()).faults) {
    bool expected = fault.key.ends_with("password_file") || fault.key.ends_with("password") ||
                    fault.key == "route.destinations" || fault.key == "freshness.every" ||
                    fault.what.find("is taken by") != std::string::npos;
    EXPECT_TRUE(expected) << to_string(fault);
  }
}

TEST(Sample, ShowsEveryRow) {
  std::string text = default_config(testing::small_registry());
  for (auto rows : {agent_rows(), limits_rows(), log_rows(), destination_rows()}) {
    for (const OptionRow& row : rows) EXPECT_THAT(text, HasSubstr(std::string(row.name) + " = "));
  }
  EXPECT_THAT(text, HasSubstr("# rate = 10 "));
  EXPECT_THAT(text, HasSubstr("one of flatten escaped raw"));
}

}  // namespace
}  // namespace checkrelay
