#include "agent/config/config.h"

#include <gmock/gmock.h>

#include "small_registry.h"

namespace checkrelay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Config valid(std::string_view text) {
  Loaded loaded = parse_config(text, "t.toml", testing::small_registry());
  for (const Fault& fault : loaded.faults) ADD_FAILURE() << to_string(fault);
  return loaded.config;
}

constexpr std::string_view kSmall = R"([agent]
socket = "/tmp/s"
[[destination]]
name = "kept"
type = "file"
path = "/tmp/out"
)";

TEST(Config, SocketIsShorthandForAUnixIntake) {
  Config config = valid(kSmall);
  ASSERT_EQ(config.intakes.size(), 1u);
  EXPECT_EQ(config.intakes[0].type, "unix");
  EXPECT_EQ(config.intakes[0].options.text("path"), "/tmp/s");
  EXPECT_EQ(config.intakes[0].options.integer("mode"), 0660);
  EXPECT_THAT(config.intakes[0].dialects, ElementsAre("native", "nagios"));
}

TEST(Config, SectionsThatAreLeftOutHaveTheirDefaults) {
  Config config = valid(kSmall);
  EXPECT_EQ(config.agent.text("state_dir"), "/var/lib/checkrelay");
  EXPECT_EQ(config.agent.duration("drain"), std::chrono::seconds(10));
  EXPECT_FALSE(config.agent.text("hostname").empty());
  EXPECT_EQ(config.limits.integer("max_result"), 64 * 1024);
  EXPECT_EQ(config.limits.integer("max_queue"), 4LL << 30);
  EXPECT_EQ(config.log.text("level"), "info");
  EXPECT_THAT(config.routes, IsEmpty());
}

TEST(Config, DestinationHasCommonCarrierAndDialectOptions) {
  Config config = valid(R"([agent]
socket = "/tmp/s"
[[destination]]
name = "central"
type = "op5"
url = "https://m.example.com/mon"
password = "geheim"
retry_min = "2s"
rate = 2.5
)");
  const Options& options = config.destinations.at(0).options;
  EXPECT_EQ(config.destinations[0].type, "op5");
  EXPECT_EQ(options.text("name"), "central");
  EXPECT_EQ(options.text("url"), "https://m.example.com/mon");
  EXPECT_EQ(options.secret("password").reveal(), "geheim");
  EXPECT_EQ(options.text("multiline"), "flatten");
  EXPECT_EQ(options.duration("connect_timeout"), std::chrono::seconds(5));
  EXPECT_EQ(options.duration("retry_min"), std::chrono::seconds(2));
  EXPECT_EQ(options.duration("retry_max"), std::chrono::minutes(5));
  EXPECT_DOUBLE_EQ(options.number("rate"), 2.5);
}

TEST(Config, DefaultsThatDependOnTheDialectComeFromItsTraits) {
  Config config = valid(R"([agent]
socket = "/tmp/s"
[[destination]]
name = "a"
type = "op5"
url = "http://m"
[[destination]]
name = "b"
type = "file"
path = "/tmp/b"
backlog = "latest"
drain = "fresh_first"
)");
  const Options& op5 = config.destinations.at(0).options;
  EXPECT_EQ(op5.text("backlog"), "latest");
  EXPECT_DOUBLE_EQ(op5.number("rate"), 10);
  EXPECT_EQ(op5.integer("batch_max"), 1);
  EXPECT_EQ(op5.duration("timeout"), std::chrono::seconds(20));
  const Options& file = config.destinations.at(1).options;
  EXPECT_EQ(file.text("backlog"), "latest");
  EXPECT_EQ(op5.text("drain"), "in_order");
  EXPECT_EQ(file.text("drain"), "fresh_first");
  EXPECT_EQ(file.integer("batch_max"), 500);
  EXPECT_TRUE(file.has("rate"));
}

TEST(Config, HttpIntakeSpeaksNativeAloneUnlessToldOtherwise) {
  Config config = valid(R"(
[[intake]]
type = "http"
listen = "127.0.0.1:8440"
[[intake]]
type = "http"
listen = "0.0.0.0:8441"
dialects = ["native", "op5"]
[[intake.user]]
name = "backup"
password = "p"
hosts = ["db*"]
[[intake.user]]
name = "any"
password = "q"
[[destination]]
name = "kept"
type = "file"
path = "/tmp/out"
)");
  ASSERT_EQ(config.intakes.size(), 2u);
  EXPECT_THAT(config.intakes[0].dialects, ElementsAre("native"));
  EXPECT_THAT(config.intakes[0].users, IsEmpty());
  EXPECT_THAT(config.intakes[1].dialects, ElementsAre("native", "op5"));
  EXPECT_EQ(config.intakes[1].users, (std::vector<UserConfig>{{"backup", Secret("p"), {"db*"}},
                                                              {"any", Secret("q"), {"*"}}}));
}

TEST(Config, RoutesKeepTheirOrder) {
  Config config = valid(std::string(kSmall) + R"([[route]]
host = "db*"
destinations = ["kept"]
[[route]]
service = "Backup"
destinations = ["kept"]
)");
  EXPECT_EQ(config.routes,
            (std::vector<RouteConfig>{{"db*", "*", {"kept"}}, {"*", "Backup", {"kept"}}}));
}

TEST(Config, MissingFileIsAFault) {
  Loaded loaded = load_config("/nonexistent/x.toml", testing::small_registry());
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(to_string(loaded.faults[0]),
            "/nonexistent/x.toml: cannot be opened: No such file or directory");
}

TEST(Config, DirectoryInTheFilesPlaceIsAFault) {
  Loaded loaded = load_config("/tmp", testing::small_registry());
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(to_string(loaded.faults[0]), "/tmp: is not a regular file");
}

}  // namespace
}  // namespace checkrelay
