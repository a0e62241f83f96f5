// The spool directory: how fast a full one is emptied, and how soon one file is on disk.
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/bench/agent.h"
#include "tests/bench/give_up.h"
#include "tests/bench/limits.h"
#include "tests/bench/measures.h"
#include "tests/bench/results.h"
#include "tests/bench/status.h"

namespace checkrelay::bench {
namespace {

constexpr std::uint64_t kFiles = 30'000;
constexpr std::uint64_t kLoneFiles = 200;
constexpr double kEmptySeconds = 60;

std::string sections(const std::string& spool) {
  return fmt::format(
      "[[intake]]\ntype = \"spool\"\npath = \"{}\"\n[[destination]]\nname = \"out\"\ntype = "
      "\"discard\"\nbacklog = \"all\"\n",
      spool);
}

std::string_view result(const Block& block, std::size_t i) {
  const std::size_t at = i % block.results();
  return std::string_view(block.bytes)
      .substr(block.starts[at], block.starts[at + 1] - block.starts[at]);
}

void write_files(const std::string& directory, const Block& block, std::uint64_t files) {
  std::filesystem::create_directories(directory);
  for (std::uint64_t i = 0; i < files; ++i)
    std::ofstream(fmt::format("{}/result-{}", directory, i)) << result(block, i);
}

std::uint64_t files_in(const std::string& directory) {
  std::uint64_t n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    n += entry.is_regular_file() && entry.path().filename().string().front() != '.' ? 1 : 0;
  return n;
}

void wait_gone(const std::string& path) {
  const double until = seconds_now() + kEmptySeconds;
  struct stat ignored {};
  while (lstat(path.c_str(), &ignored) == 0)
    if (seconds_now() > until) give_up("{} stays", path);
}

}  // namespace

std::vector<Row> spool_files(const Setup& setup) {
  Row row{.name = "spool",
          .title = "spool directory, one result a file",
          .unit = "files/s",
          .limit = "readdir, open, read, unlink",
          .mark = Mark{.bound = 0.3}};
  const Block block = make_block(Format::ndjson);
  const std::string spool = setup.directory + "/spool";
  const std::uint64_t files = setup.scaled(kFiles);
  for (int i = 0; i < setup.runs; ++i) {
    write_files(spool, block, files);
    const double began = seconds_now();
    {
      Agent agent(setup.program, setup.agent_directory(), sections(spool));
      const double until = began + kEmptySeconds;
      while (ask_status(agent.socket()).accepted < files || files_in(spool) > 0) {
        if (seconds_now() > until) give_up("{} is not emptied", spool);
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      row.measured.push_back(static_cast<double>(files) / (seconds_now() - began));
    }
    write_files(spool, block, files);
    row.limits.push_back(spool_reads(spool));
    std::filesystem::remove_all(spool);
  }
  return {row};
}

std::vector<Row> spool_latency(const Setup& setup) {
  Row row{.name = "spool_latency",
          .title = "spool directory, rename to taken and removed, p50",
          .unit = "ms",
          .mark = Mark{.of = Mark::Of::measured, .at_most = true, .bound = 20}};
  const Block block = make_block(Format::ndjson);
  const std::string spool = setup.directory + "/spool";
  const std::uint64_t files = setup.quick ? 3 : kLoneFiles;
  for (int i = 0; i < setup.runs; ++i) {
    std::filesystem::create_directories(spool);
    std::vector<double> times;
    {
      Agent agent(setup.program, setup.agent_directory(), sections(spool));
      for (std::uint64_t n = 0; n < files; ++n) {
        const std::string path = fmt::format("{}/result-{}", spool, n);
        std::ofstream(spool + "/.new") << result(block, n);
        const double began = seconds_now();
        std::filesystem::rename(spool + "/.new", path);
        wait_gone(path);
        times.push_back(1e3 * (seconds_now() - began));
      }
    }
    row.measured.push_back(percentile(times, 0.5));
    std::filesystem::remove_all(spool);
  }
  return {row};
}

}  // namespace checkrelay::bench
