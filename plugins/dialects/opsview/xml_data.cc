// XML by pugixml, in the manner of Perl's XML::Simple, which Opsview's web framework reads and
// writes it with. pugixml expands no entities of a document's own and reads nothing external.
#include <algorithm>
#include <map>
#include <pugixml.hpp>

#include "agent/base/text.h"
#include "plugins/dialects/opsview/data.h"

namespace checkrelay::opsview {
namespace {

tl::unexpected<Error> wrong(std::string_view why, std::string_view fragment) {
  return fail(Errc::invalid, "XML: " + std::string(why) + ": " + quoted(fragment));
}

class Reader {
 public:
  Result<Data> element(const pugi::xml_node& node, unsigned depth) {
    if (depth > kDeepest) return wrong("nested too deep", node.name());
    if (++values_ > kMostValues) return wrong("too many values", node.name());
    Data data = Data::map();
    Seen seen;
    for (const pugi::xml_attribute& a : node.attributes()) {
      join(data, seen, a.name(), Data::text(a.value()));
      if (++values_ > kMostValues) return wrong("too many values", node.name());
    }
    std::string text;
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() != pugi::node_element) {
        text += child.value();
        continue;
      }
      auto item = element(child, depth + 1);
      if (!item) return item;
      join(data, seen, child.name(), std::move(*item));
    }
    if (data.items.empty()) return Data::text(text);
    if (!trimmed(text).empty()) join(data, seen, "content", Data::text(text));
    return data;
  }

 private:
  using Seen = std::map<std::string, std::size_t, std::less<>>;  // name: its place among the items

  // What comes again makes a list of its first. No element by itself reads as a list.
  static void join(Data& map, Seen& seen, const char* name, Data item) {
    auto [it, fresh] = seen.try_emplace(name, map.items.size());
    if (fresh) {
      map.keys.emplace_back(name);
      map.items.push_back(std::move(item));
      return;
    }
    Data& place = map.items[it->second];
    if (place.kind != Data::Kind::list) {
      Data list = Data::list();
      list.items.push_back(std::move(place));
      place = std::move(list);
    }
    place.items.push_back(std::move(item));
  }

  std::size_t values_ = 0;
};

std::string without_controls(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r') c = ' ';
  make_valid_utf8(out);
  return out;
}

void write(const Data& data, const std::string& name, pugi::xml_node parent) {
  if (data.kind == Data::Kind::list) {
    for (const Data& item : data.items) write(item, name, parent);
    return;
  }
  pugi::xml_node node = parent.append_child(name.c_str());
  if (data.kind == Data::Kind::text) node.text().set(without_controls(data.value).c_str());
  for (std::size_t i = 0; i < data.items.size(); ++i) {
    const Data& item = data.items[i];
    if (item.kind == Data::Kind::text) {
      node.append_attribute(data.keys[i].c_str()).set_value(without_controls(item.value).c_str());
    } else {
      write(item, data.keys[i], node);
    }
  }
}

struct StringWriter : pugi::xml_writer {
  std::string text{};
  void write(const void* data, std::size_t size) override {
    text.append(static_cast<const char*>(data), size);
  }
};

}  // namespace

Result<Data> parse_xml(std::string_view text) {
  pugi::xml_document document;
  auto parsed =
      document.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_doctype);
  if (!parsed) {
    const auto at = std::min(static_cast<std::size_t>(parsed.offset), text.size());
    return wrong(parsed.description(), text.substr(at));
  }
  for (const pugi::xml_node& node : document.children())
    if (node.type() == pugi::node_doctype) return wrong("a DOCTYPE is not read", node.value());
  auto data = Reader().element(document.document_element(), 0);
  if (!data) return data;
  const Data* inner = data->find("data");
  if (inner && data->items.size() == 1 && inner->is_map()) return Data(*inner);
  return data;
}

std::string to_xml(const Data& data) {
  pugi::xml_document document;
  write(data, "data", document.append_child("opt"));
  StringWriter writer;
  document.save(writer, "", pugi::format_raw | pugi::format_no_declaration);
  return writer.text;
}

}  // namespace checkrelay::opsview
