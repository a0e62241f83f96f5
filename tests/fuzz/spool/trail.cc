// A row of the trail whose checksum fits may hold anything, and what is written is read.
#include "spool/trail.h"

#include "spool/bytes.h"
#include "spool/crc32c.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  (void)read_trail(input);
  std::string row;
  put_fixed(row, crc32c(input), 4);
  row += input;
  require(read_trail(row).size() <= input.size());
  TrailWriter writer;
  std::vector<TrailEntry> entries;
  while (!input.empty() && !writer.full()) {
    TrailEntry e;
    e.seq = fuzz::pick(input, 256);
    e.lane = fuzz::pick(input, kMaxLanes);
    e.fate = static_cast<Fate>(1 + fuzz::pick(input, 8));
    e.at = Wall(std::chrono::milliseconds(1000U * fuzz::pick(input, 256)));
    e.answer = std::string(fuzz::take_text(input).substr(0, TrailWriter::kAnswer));
    writer.add(e);
    entries.push_back(e);
  }
  const auto read = read_trail(writer.sealed().data);
  require(read.size() == entries.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    require(read[i].seq == entries[i].seq && read[i].lane == entries[i].lane);
    require(read[i].at == entries[i].at && read[i].answer == entries[i].answer);
  }
  return 0;
}
