// Lets the compiler read a number out of a file, and say it.
#include "contract.hpp"

constexpr unsigned long long kSecret =
#include "@SECRET@"
    ;
template <auto kNumber>
struct Said;
Said<kSecret> said;
