#include "agent/port/message.h"

#include "agent/base/text.h"

namespace checkrelay {

Message Message::bytes(std::string piece) {
  Message m;
  m.body = std::move(piece);
  return m;
}

Message Message::request(std::string method, std::string target, std::string body) {
  Message m;
  m.kind = Kind::request;
  m.method = std::move(method);
  m.target = std::move(target);
  m.body = std::move(body);
  return m;
}

Message Message::response(int status, std::string body, std::string_view content_type) {
  Message m;
  m.kind = Kind::response;
  m.status = status;
  m.body = std::move(body);
  m.headers.push_back({"Content-Type", std::string(content_type)});
  return m;
}

Message Message::failure(Trouble trouble, std::string what) {
  Message m;
  m.kind = Kind::failure;
  m.trouble = trouble;
  m.what = std::move(what);
  return m;
}

const std::string* Message::header(std::string_view name) const {
  for (const Header& h : headers)
    if (equals_ignoring_case(h.name, name)) return &h.value;
  return nullptr;
}

}  // namespace checkrelay
