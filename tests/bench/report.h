#pragma once

#include <string>
#include <vector>

#include "tests/bench/measures.h"

namespace checkrelay::bench {

// Medians (lowest-highest) for people. Of a quick run no mark is judged.
std::string table(const std::vector<Row>& rows, bool quick);
// Every value of every run, and the machine they are from.
std::string json(const std::vector<Row>& rows, const Setup& setup);

std::string machine_line();

}  // namespace checkrelay::bench
