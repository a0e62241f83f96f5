// Reads the tables of a document against option rows and gathers what is wrong. One Reader a file.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/document.h"

namespace checkrelay {

class Reader {
 public:
  // Without `warnings` these are faults.
  Reader(std::string file, std::vector<Fault>& faults, std::vector<Fault>* warnings = nullptr)
      : file_(std::move(file)), faults_(faults), warnings_(warnings ? *warnings : faults) {}

  void fault(int line, std::string key, std::string what);
  void warning(int line, std::string key, std::string what);  // see Loaded
  [[nodiscard]] std::size_t fault_count() const { return faults_.size(); }

  // Every key of `table` that a row names, into `out`. Keys that neither a row nor `others` names
  // are faults. Where two rows share a name the first counts. `where` is the dotted name of the
  // table, `line` that of its header.
  void options(const Node& table, std::string_view where, std::span<const OptionRow> rows,
               std::span<const std::string_view> others, Options& out);
  // Fallbacks of rows whose key is not there, and faults for required ones. Call it last.
  void fallbacks(const Node& table, std::string_view where, std::span<const OptionRow> rows,
                 Options& out);
  // The tables of an array of tables; a fault and none where `node` is something else.
  [[nodiscard]] std::span<const Node> tables(const Node& node);
  [[nodiscard]] const Node* table(const Node& root, std::string_view name);
  // A text key; empty (and a fault) where it is missing, empty or something else.
  [[nodiscard]] std::string required_text(const Node& table, std::string_view where,
                                          std::string_view name);
  [[nodiscard]] std::vector<std::string> list(const Node& node, const std::string& key);

 private:
  void option(const Node& item, const std::string& key, const OptionRow& row, Options& out);
  void secret_file(const Node& item, const std::string& key, const OptionRow& row, Options& out);
  void unknown(const Node& item, std::string_view where, std::span<const OptionRow> rows,
               std::span<const std::string_view> others);

  std::string file_;
  std::vector<Fault>& faults_;
  std::vector<Fault>& warnings_;
};

[[nodiscard]] std::string dotted(std::string_view where, std::string_view name);

// At most 1 MiB of `file`; the error says why not.
[[nodiscard]] Result<std::string> read_small_file(const std::string& file);

}  // namespace checkrelay
