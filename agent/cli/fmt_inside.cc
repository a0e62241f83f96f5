// {fmt}'s own definitions, as part of the front program: it then needs no shared C++ library, which
// would take longer to load than a result takes to hand in. Debian's package has no static library.
#include <fmt/format-inl.h>

template auto fmt::detail::dragonbox::to_decimal(float x) -> decimal_fp<float>;
template auto fmt::detail::dragonbox::to_decimal(double x) -> decimal_fp<double>;
template auto fmt::detail::thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template auto fmt::detail::decimal_point_impl<char>(locale_ref) -> char;
