// A case is a directory: `input`, fed as a stream, and `expected.json` with what comes of it.
// UPDATE_GOLDEN=1 writes the latter.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "plugins/dialects/native/dialect.h"
#include "tests/contract/stream_contract.h"

namespace checkrelay::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

ordered_json told(const CheckResult& r) {
  ordered_json j;
  j["host"] = r.subject.host;
  j["service"] = r.subject.service;
  j["state"] = r.state;
  j["output"] = r.output;
  j["perfdata"] = r.perfdata;
  j["time"] = r.time == Wall{} ? "" : format_rfc3339(r.time);
  j["id"] = r.id;
  j["ttl"] = to_seconds(r.ttl);
  j["check_source"] = r.check_source;
  return j;
}

std::string told(const Heard& heard) {
  ordered_json j;
  j["results"] = ordered_json::array();
  for (const CheckResult& r : heard.results) j["results"].push_back(told(r));
  j["replies"] = ordered_json::array();
  std::istringstream lines(heard.replies);
  for (std::string line; std::getline(lines, line);)
    j["replies"].push_back(ordered_json::parse(line));
  return j.dump(2) + "\n";
}

class NativeGolden : public testing::TestWithParam<std::string> {};

TEST_P(NativeGolden, InputComesToWhatIsExpected) {
  fs::path folder = fs::path(GOLDEN_DIR) / GetParam();
  StreamCase c{GetParam(), &native_dialect(), {}, contents(folder / "input"), 0};
  std::string came = told(play(c));
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(folder / "expected.json") << came;
  EXPECT_EQ(came, contents(folder / "expected.json"));
}

std::vector<std::string> folders() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(GOLDEN_DIR))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, NativeGolden, testing::ValuesIn(folders()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace checkrelay::test
