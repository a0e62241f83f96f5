// A database and its write-ahead log, both of any bytes: they are read to the end. The first byte
// says how many quarters of the rest are the database.
#include "spool/damaged_file.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "spool/log_tail.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

namespace {

const std::string& place() {
  static const std::string path = "/dev/shm/checkrelay-fuzz-" + std::to_string(getpid());
  static const int registered = std::atexit([] {
    (void)unlink(path.c_str());
    (void)unlink((path + "-wal").c_str());
  });
  (void)registered;
  return path;
}

void write(const std::string& path, std::string_view bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  require(file != nullptr);
  require(std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size());
  std::fclose(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t half = input.size() * fuzz::pick(input, 5) / 4;
  write(place(), input.substr(0, half));
  write(place() + "-wal", input.substr(std::min(half, input.size())));
  const DamagedFile file(place());
  std::size_t rows = 0;
  const auto count = [&](const StoredRow&) { ++rows; };
  for (std::uint32_t n = 0; n <= file.pages() + 1; ++n) {
    (void)file.is_free(n, DamagedFile::View::newest);
    file.rows(n, DamagedFile::View::database, count);
  }
  for (const auto n : file.pages_in_log()) require(n <= 0xffffffff);
  file.rows_of_log(count);
  require(rows <= input.size());
  require(file.bytes_in_use() <= input.size() + kPageBytes);
  (void)look_at_log(place());
  return 0;
}
