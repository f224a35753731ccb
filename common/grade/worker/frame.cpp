#include "common/grade/worker/frame.hpp"

#include <string>

namespace moe::worker {

const Frame::Argument& Frame::take(grade::Element element, bool array, bool constant, std::size_t size) {
  if (next_ == arguments_.size()) throw Misuse("the checks send too few arguments");
  const Argument& a = arguments_[next_++];
  const std::string which = "argument " + std::to_string(next_) + ": ";
  const bool is_array = a.role != grade::Role::scalar;
  if (array != is_array) throw Misuse(which + (is_array ? "an array for a value" : "a value for an array"));
  if (a.element != element)
    throw Misuse(which + "the checks send " + name_of(a.element) + ", the contract has " + name_of(element));
  if (!array && a.size != size) throw Misuse(which + "another size than in the contract");
  if (array && (a.role == grade::Role::input) != constant)
    throw Misuse(which + "In is for const pointers, Out and InOut are for the others");
  return a;
}

void Frame::check_all_taken() const {
  if (next_ != arguments_.size()) throw Misuse("the checks send too many arguments");
}

}  // namespace moe::worker
