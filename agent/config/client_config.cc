// The little that clients need. Apart from the rest, so that the front program links no more than
// this.
#include "agent/config/config.h"
#include "agent/config/reader.h"

namespace checkrelay {
namespace {

std::string text_of(const Node* table, std::string_view key) {
  const Node* item = table ? table->find(key) : nullptr;
  return item && item->kind == Node::Kind::text ? item->text : std::string();
}

// `path` of the first intake of that type; empty where there is none.
std::string path_of_intake(const Node& root, std::string_view type) {
  const Node* intakes = root.find("intake");
  if (!intakes) return {};
  for (const Node& intake : intakes->items) {
    if (text_of(&intake, "type") == type) return text_of(&intake, "path");
  }
  return {};
}

// Where the file is broken, what stands before the broken line.
Node root_of(std::string_view text) {
  Document document = parse_document(text);
  if (document.error.empty()) return std::move(document.root);
  std::size_t end = 0;
  for (int line = 1; line < document.error_line && end != text.npos; ++line) {
    end = text.find('\n', end);
    if (end != text.npos) ++end;
  }
  return parse_document(text.substr(0, end)).root;
}

}  // namespace

ClientConfig load_client_config(const std::string& file) {
  ClientConfig out;
  auto text = read_small_file(file);
  Node root = text ? root_of(*text) : Node{};
  const Node* agent = root.find("agent");
  out.hostname = text_of(agent, "hostname");
  out.spool_dir = path_of_intake(root, "spool");
  std::string socket = text_of(agent, "socket");
  if (socket.empty()) socket = path_of_intake(root, "unix");
  if (!socket.empty()) out.socket = std::move(socket);
  std::string state_dir = text_of(agent, "state_dir");
  if (!state_dir.empty()) out.state_dir = std::move(state_dir);
  return out;
}

}  // namespace checkrelay
