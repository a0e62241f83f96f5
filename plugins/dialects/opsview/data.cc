#include "plugins/dialects/opsview/data.h"

#include <algorithm>
#include <utility>

#include "agent/base/json.h"

namespace checkrelay::opsview {
namespace {

void write_json(const Data& data, JsonWriter& json) {
  switch (data.kind) {
    case Data::Kind::null:
      json.null();
      return;
    case Data::Kind::text:
      json.text(data.value);
      return;
    case Data::Kind::list:
      json.begin_array();
      for (const Data& item : data.items) write_json(item, json);
      json.end_array();
      return;
    case Data::Kind::map:
      json.begin_object();
      for (std::size_t i = 0; i < data.items.size(); ++i) {
        json.key(data.keys[i]);
        write_json(data.items[i], json);
      }
      json.end_object();
  }
}

}  // namespace

Data Data::text(std::string_view value) {
  Data data;
  data.kind = Kind::text;
  data.value = value;
  return data;
}

Data Data::map() {
  Data data;
  data.kind = Kind::map;
  return data;
}

Data Data::list() {
  Data data;
  data.kind = Kind::list;
  return data;
}

Data& Data::add(std::string key, Data item) {
  auto it = std::find(keys.begin(), keys.end(), key);
  if (it != keys.end()) {
    items[static_cast<std::size_t>(it - keys.begin())] = std::move(item);
    return *this;
  }
  keys.push_back(std::move(key));
  items.push_back(std::move(item));
  return *this;
}

const Data* Data::find(std::string_view key) const {
  if (kind != Kind::map) return nullptr;
  auto it = std::find(keys.begin(), keys.end(), key);
  return it == keys.end() ? nullptr : &items[static_cast<std::size_t>(it - keys.begin())];
}

std::string_view Data::text_of(std::string_view key) const {
  const Data* item = find(key);
  return item && item->kind == Kind::text ? std::string_view(item->value) : std::string_view();
}

std::string to_json(const Data& data) {
  std::string out;
  JsonWriter json(out);
  write_json(data, json);
  return out;
}

}  // namespace checkrelay::opsview
