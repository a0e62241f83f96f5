#include "agent/flow/answers.h"

#include <utility>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay {

Message json_answer(int status, std::string body) {
  return Message::response(status, std::move(body) + "\n", kJson);
}

Message error_answer(int status, std::string_view what) {
  std::string body;
  JsonWriter(body).begin_object().key("error").text(what).end_object();
  return json_answer(status, std::move(body));
}

// RFC 9110 section 15.5.6: a 405 says what is allowed.
Message wrong_method(std::string allowed) {
  Message m = error_answer(405, "only " + allowed);
  m.headers.push_back({"Allow", std::move(allowed)});
  return m;
}

Message no_page(std::string_view path) {
  return error_answer(404, "nothing is at " + quoted(path));
}

}  // namespace checkrelay
