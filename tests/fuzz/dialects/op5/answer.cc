// An upstream's answer: the first two bytes are the status, the rest to the first NUL is
// Retry-After, the rest the body.
#include "plugins/dialects/answer.h"

#include <cstdint>
#include <cstdlib>

#include "agent/base/text.h"
#include "plugins/dialects/op5/wire.h"

using namespace checkrelay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const int status = data[0] % 2 ? 200 : 100 + data[0] * 2 + data[1] % 4;  // to 611
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string_view wish = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), wish.size() + 1));
  Message m = Message::response(status, std::string(rest), "application/json");
  m.headers.push_back({"Retry-After", std::string(wish)});
  const Credentials login{"relay", Secret("hunter2")};
  Verdict v = op5::judge(m, login, Wall(std::chrono::seconds(1'700'000'000)));
  if (v.answer.size() > kAnswerLimit || !is_valid_utf8(v.answer)) std::abort();
  if (v.answer.find("hunter2") != std::string::npos) std::abort();
  if (v.judgement == Judgement::delivered && rest.find("result") == rest.npos &&
      rest.find('\\') == rest.npos) {
    std::abort();
  }
  return 0;
}
