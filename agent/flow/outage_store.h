// The last list of each source of outages, kept over restarts. Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "agent/flow/environment.h"
#include "agent/model/packed_outages.h"

namespace checkrelay {

class OutageStore {
 public:
  explicit OutageStore(const Environment& env) : env_(env) {}  // must outlive the store
  // What was kept before this start. What cannot be read is told, and counts for nothing.
  void load();
  // nullptr where there is none of this name and type. Until the next put() or retain().
  [[nodiscard]] const KeptOutages* find(const std::string& source, const std::string& type) const;
  // Written where the list is another one, or the one that is there is older by `slack`: a list
  // that is confirmed every minute need not be written as often.
  void put(KeptOutages kept, Duration slack);
  void retain(const std::vector<std::string>& sources);  // all others are gone

 private:
  void write() const;
  const Environment& env_;
  std::vector<KeptOutages> kept_;
};

}  // namespace checkrelay
