#include "agent/config/reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "agent/base/text.h"
#include "agent/config/value.h"

namespace checkrelay {
namespace {

constexpr std::size_t kMaxFile = 1024 * 1024;  // bytes; a configuration is written by people
constexpr std::string_view kFileSuffix = "_file";

const OptionRow* find_row(std::span<const OptionRow> rows, std::string_view name) {
  auto it =
      std::find_if(rows.begin(), rows.end(), [&](const OptionRow& r) { return r.name == name; });
  return it == rows.end() ? nullptr : &*it;
}

// The secret row that `name` gives a file for.
const OptionRow* find_file_row(std::span<const OptionRow> rows, std::string_view name) {
  if (!name.ends_with(kFileSuffix)) return nullptr;
  const OptionRow* row = find_row(rows, name.substr(0, name.size() - kFileSuffix.size()));
  return row && row->kind == OptionKind::secret ? row : nullptr;
}

std::string file_key(const OptionRow& row) { return fmt::format("{}{}", row.name, kFileSuffix); }

Error system_error(std::string_view did) {
  return {Errc::unavailable, fmt::format("{}: {}", did, std::strerror(errno))};
}

Result<std::string> read_all(int fd) {
  std::string out;
  char piece[16 * 1024];
  for (;;) {
    ssize_t n = ::read(fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return tl::unexpected<Error>(system_error("cannot be read"));
    if (n == 0) return out;
    out.append(piece, static_cast<std::size_t>(n));
    if (out.size() > kMaxFile) return fail(Errc::invalid, "is larger than 1 MiB");
  }
}

}  // namespace

std::string dotted(std::string_view where, std::string_view name) {
  return where.empty() ? std::string(name) : fmt::format("{}.{}", where, name);
}

Result<std::string> read_small_file(const std::string& file) {
  // Non-blocking, so that a FIFO in the file's place cannot hang us.
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return tl::unexpected<Error>(system_error("cannot be opened"));
  struct stat info {};
  bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  Result<std::string> out =
      regular ? read_all(fd) : Result<std::string>(fail(Errc::invalid, "is not a regular file"));
  ::close(fd);
  return out;
}

void Reader::fault(int line, std::string key, std::string what) {
  faults_.push_back({file_, line, std::move(key), std::move(what)});
}

void Reader::warning(int line, std::string key, std::string what) {
  warnings_.push_back({file_, line, std::move(key), std::move(what)});
}

void Reader::options(const Node& table, std::string_view where, std::span<const OptionRow> rows,
                     std::span<const std::string_view> others, Options& out) {
  for (const Node& item : table.items) {
    std::string key = dotted(where, item.key);
    if (std::find(others.begin(), others.end(), item.key) != others.end()) continue;
    if (const OptionRow* row = find_row(rows, item.key)) {
      option(item, key, *row, out);
    } else if (const OptionRow* secret = find_file_row(rows, item.key)) {
      secret_file(item, key, *secret, out);
    } else {
      unknown(item, where, rows, others);
    }
  }
}

void Reader::option(const Node& item, const std::string& key, const OptionRow& row, Options& out) {
  auto value = read_value(row, item);
  if (!value) return fault(item.line, key, value.error().what);
  if (row.kind == OptionKind::secret && out.has(row.name)) {
    return fault(item.line, key, fmt::format("given together with {}", file_key(row)));
  }
  bool blank = std::holds_alternative<std::string>(*value) && std::get<std::string>(*value).empty();
  if (blank && row.required) return fault(item.line, key, "must not be empty");
  out.set(row.name, std::move(*value));
}

void Reader::secret_file(const Node& item, const std::string& key, const OptionRow& row,
                         Options& out) {
  if (out.has(row.name)) {
    return fault(item.line, key, fmt::format("given together with {}", row.name));
  }
  OptionRow path{.name = row.name, .kind = OptionKind::path};
  auto file = read_value(path, item);
  if (!file) return fault(item.line, key, file.error().what);
  auto text = read_small_file(item.text);
  if (!text) return fault(item.line, key, quoted(item.text, 200) + " " + text.error().what);
  std::string first = text->substr(0, text->find('\n'));
  if (first.ends_with('\r')) first.pop_back();
  if (first.empty()) {
    return fault(item.line, key, quoted(item.text, 200) + " has an empty first line");
  }
  out.set(row.name, Secret(std::move(first)));
}

void Reader::unknown(const Node& item, std::string_view where, std::span<const OptionRow> rows,
                     std::span<const std::string_view> others) {
  std::vector<std::string> secrets;
  std::vector<std::string_view> words(others.begin(), others.end());
  for (const OptionRow& row : rows) {
    words.push_back(row.name);
    if (row.kind == OptionKind::secret) secrets.push_back(file_key(row));
  }
  words.insert(words.end(), secrets.begin(), secrets.end());
  fault(item.line, dotted(where, item.key), "unknown key" + suggestion(item.key, words));
}

void Reader::fallbacks(const Node& table, std::string_view where, std::span<const OptionRow> rows,
                       Options& out) {
  for (const OptionRow& row : rows) {
    if (out.has(row.name)) continue;
    if (!row.fallback.empty()) {
      auto value = read_value(row, row.fallback);
      if (value) out.set(row.name, std::move(*value));
    } else if (row.required && !table.find(row.name) && !table.find(file_key(row))) {
      fault(table.line, dotted(where, row.name), "is required");
    }
  }
}

std::span<const Node> Reader::tables(const Node& node) {
  auto is_table = [](const Node& item) { return item.kind == Node::Kind::table; };
  if (node.kind == Node::Kind::array &&
      std::all_of(node.items.begin(), node.items.end(), is_table)) {
    return node.items;
  }
  fault(node.line, node.key, fmt::format("is written as [[{}]] tables", node.key));
  return {};
}

const Node* Reader::table(const Node& root, std::string_view name) {
  static const Node kAbsent;
  const Node* node = root.find(name);
  if (!node) return &kAbsent;
  if (node->kind == Node::Kind::table) return node;
  fault(node->line, std::string(name), fmt::format("is written as a [{}] table", name));
  return &kAbsent;
}

std::string Reader::required_text(const Node& table, std::string_view where,
                                  std::string_view name) {
  const Node* node = table.find(name);
  std::string key = dotted(where, name);
  if (!node) {
    fault(table.line, key, "is required");
  } else if (node->kind != Node::Kind::text) {
    fault(node->line, key, fmt::format("expected a string, got {}", kind_name(node->kind)));
  } else if (node->text.empty()) {
    fault(node->line, key, "must not be empty");
  } else {
    return node->text;
  }
  return {};
}

std::vector<std::string> Reader::list(const Node& node, const std::string& key) {
  auto value = read_value(OptionRow{.kind = OptionKind::list}, node);
  if (value) return std::get<std::vector<std::string>>(*value);
  fault(node.line, key, value.error().what);
  return {};
}

}  // namespace checkrelay
