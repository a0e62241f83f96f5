// The grammar of a check-result file (Nagios Core 4, xdata "check result" files): `key=value`
// lines, `#` comments, an empty line ends a record. Pure; lines in, results out.
//
// Taken: host_name, service_description, check_type, finish_time, exited_ok, return_code, output.
// Every other key is passed over as Nagios does, file_time and early_timeout on purpose: a backlog
// is no reason to drop a result, and senders are known to set early_timeout on checks that ended
// well. Refused, where Nagios would guess: a record without return_code, and codes outside the
// range of its subject.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/result.h"
#include "agent/model/check_result.h"

namespace checkrelay::nagios {

class RecordReader {
 public:
  explicit RecordReader(std::size_t max_record) : max_(max_record) {}
  // One line without its end. True where it ended a record: take() it.
  [[nodiscard]] bool line(std::string_view text, std::size_t number);
  [[nodiscard]] bool end();           // of the file, as line("")
  void too_long(std::size_t number);  // instead of line(): the record is refused

  struct Taken {
    std::size_t number = 0;  // of the record's first line
    Result<CheckResult> result = CheckResult{};
  };
  [[nodiscard]] Taken take();  // and begins the next record

 private:
  void assign(std::string_view line);
  void field(std::string_view key, std::string_view value);
  [[nodiscard]] Result<CheckResult> build() const;
  [[nodiscard]] Result<State> state() const;

  struct Fields {
    bool any = false;  // a key of a result was seen
    std::size_t number = 0;
    std::size_t bytes = 0;
    bool too_long = false;
    std::string host{};
    std::string service{};
    bool active = true;
    bool exited = true;
    std::optional<std::string> finish_time{};
    std::optional<std::string> return_code{};
    std::optional<std::string> output{};
  };
  std::size_t max_;
  Fields now_{};
  std::string joined_{};  // a line whose end was a backslash
};

}  // namespace checkrelay::nagios
