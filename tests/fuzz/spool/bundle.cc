// The head and the chunks of a bundle: any bytes are refused or read, and what is written is read.
#include "spool/bundle.h"

#include "spool/bytes.h"
#include "spool/crc32c.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  (void)BundleCodec::read(input.substr(0, kBundleHead), Secret());
  auto writer = BundleCodec::begin(Secret(), Wall(std::chrono::seconds(1'700'000'000)));
  require(writer.has_value());
  auto reader = BundleCodec::read(writer->head(), Secret());
  require(reader.has_value());
  auto stranger = *reader;
  (void)stranger.decode(input);
  const std::string bytes = writer->encode({ChunkKind::records, std::string(input)});
  auto chunk = reader->decode(std::string_view(bytes).substr(4));
  require(chunk && chunk->text == input && chunk->kind == ChunkKind::records);
  return 0;
}
