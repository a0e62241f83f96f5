// An upstream's answer: the first two bytes are the status, the rest the body.
#include <cstdint>
#include <cstdlib>

#include "plugins/dialects/opsview/wire.h"

using namespace checkrelay;
using namespace checkrelay::opsview;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const int status = data[0] % 2 ? 200 : 100 + data[0] * 2 + data[1] % 4;  // to 611
  std::string body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Answer answer = read_answer(Message::response(status, body, "application/json"),
                                    Wall(std::chrono::seconds(1'700'000'000)));
  if (answer.sense == Answer::Sense::good && status != 200) std::abort();
  if (answer.judgement == Judgement::delivered) std::abort();
  const Selection hit = selected(answer.data, {"db1", "Backup"});
  if (hit == Selection::exact && body.find_first_of("bB\\") == std::string::npos) std::abort();
  static_cast<void>(read_reload(answer.data));
  static_cast<void>(too_new(answer.data));
  if (auto token = read_token(answer.data))
    if (token->reveal().find_first_of("\r\n") != std::string::npos) std::abort();
  return 0;
}
