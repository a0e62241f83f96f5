#include "tests/bench/report.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace checkrelay::bench {
namespace {

using Cells = std::array<std::string, 7>;

std::string number(double v) {
  if (v >= 1e6) return fmt::format("{:.2f} M", v / 1e6);
  if (v >= 1e4) return fmt::format("{:.1f} k", v / 1e3);
  if (v >= 100) return fmt::format("{:.0f}", v);
  return fmt::format("{:.{}f}", v, v >= 10 ? 1 : 2);
}

std::string cell(const std::vector<double>& values) {
  if (values.empty()) return "";
  Spread s = spread(values);
  if (values.size() == 1) return number(s.median);
  return fmt::format("{} ({}-{})", number(s.median), number(s.low), number(s.high));
}

std::string verdict(const Row& row, bool quick) {
  if (!row.mark) return "";
  const Mark& m = *row.mark;
  std::string asked = fmt::format("{} {} {}", m.of == Mark::Of::ratio ? "ratio" : "measured",
                                  m.at_most ? "<=" : ">=", number(m.bound));
  if (m.enough > 0) asked += fmt::format(" or {}", number(m.enough));
  return quick ? asked : asked + (row.meets(m) ? ": met" : ": SHORT");
}

Cells cells(const Row& row, bool quick) {
  return {row.title,           row.unit, cell(row.measured), cell(row.limits), cell(row.ratios()),
          verdict(row, quick), row.limit};
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string kernel() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "unknown";
}

nlohmann::json series(const std::vector<double>& values) {
  if (values.empty()) return nullptr;
  Spread s = spread(values);
  return {{"median", s.median}, {"min", s.low}, {"max", s.high}, {"runs", values}};
}

nlohmann::json mark(const Row& row) {
  if (!row.mark) return nullptr;
  return {{"of", row.mark->of == Mark::Of::ratio ? "ratio" : "measured"},
          {row.mark->at_most ? "at_most" : "at_least", row.mark->bound},
          {"met", row.meets(*row.mark)}};
}

nlohmann::json one(const Row& row) {
  nlohmann::json out{{"name", row.name},
                     {"title", row.title},
                     {"unit", row.unit},
                     {"measured", series(row.measured)},
                     {"limit", series(row.limits)},
                     {"ratio", series(row.ratios())},
                     {"mark", mark(row)}};
  out["limit_is"] = row.limit.empty() ? nlohmann::json() : nlohmann::json(row.limit);
  return out;
}

}  // namespace

std::string machine_line() {
  return fmt::format("{} x {}, Linux {}, load {}", std::thread::hardware_concurrency(), cpu_model(),
                     kernel(), first_line("/proc/loadavg").substr(0, 14));
}

std::string table(const std::vector<Row>& rows, bool quick) {
  std::vector<Cells> lines{
      {"measure", "unit", "checkrelay", "limit", "ratio", "mark", "the limit is"}};
  for (const Row& row : rows) lines.push_back(cells(row, quick));
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string out;
  for (const Cells& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i)
      text += fmt::format("{:<{}}  ", line[i], widths[i]);
    out += text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

std::string json(const std::vector<Row>& rows, const Setup& setup) {
  nlohmann::json out{{"version", CHECKRELAY_VERSION},
                     {"epoch", std::time(nullptr)},
                     {"machine",
                      {{"cpus", std::thread::hardware_concurrency()},
                       {"model", cpu_model()},
                       {"kernel", kernel()},
                       {"load", first_line("/proc/loadavg")}}},
                     {"runs", setup.runs},
                     {"quick", setup.quick},
                     {"rows", nlohmann::json::array()}};
  for (const Row& row : rows) out["rows"].push_back(one(row));
  return out.dump(2) + '\n';
}

}  // namespace checkrelay::bench
