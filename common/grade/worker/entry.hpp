// Names the functions of an exercise's contract to the worker. An exercise's entry.cpp is
//
//   #include "exercises/01_overview/01_name/contract.hpp"
//   #include "common/grade/worker/entry.hpp"
//   MOE_ANSWER(function)              // or MOE_ANSWER(first, second)
//
// Parameters may be pointers to and values of bool, int32, int64, float, double, plain structs by value or const
// reference, and on a device Context&. `const T*` is an input, `T*` an output.
#pragma once

#include "common/grade/worker/frame.hpp"

#define MOE_ANSWER_ROW_(f) {#f, ::moe::worker::Caller<&f>::call},
#define MOE_ANSWER_1_(f) MOE_ANSWER_ROW_(f)
#define MOE_ANSWER_2_(f, ...) MOE_ANSWER_ROW_(f) MOE_ANSWER_1_(__VA_ARGS__)
#define MOE_ANSWER_3_(f, ...) MOE_ANSWER_ROW_(f) MOE_ANSWER_2_(__VA_ARGS__)
#define MOE_ANSWER_4_(f, ...) MOE_ANSWER_ROW_(f) MOE_ANSWER_3_(__VA_ARGS__)
#define MOE_ANSWER_PICK_(a, b, c, d, chosen, ...) chosen
#define MOE_ANSWER_ROWS_(...)                                                                 \
  MOE_ANSWER_PICK_(__VA_ARGS__, MOE_ANSWER_4_, MOE_ANSWER_3_, MOE_ANSWER_2_, MOE_ANSWER_1_, ) \
  (__VA_ARGS__)

#ifdef MOE_BACKEND
#define MOE_ANSWER_SCOPE_ using namespace ::moe::MOE_BACKEND;  // NOLINT: where contracts of kernels live
#else
#define MOE_ANSWER_SCOPE_
#endif

#define MOE_ANSWER(...)                                                            \
  MOE_ANSWER_SCOPE_                                                                \
  namespace moe::worker {                                                          \
  const Function kFunctions[] = {MOE_ANSWER_ROWS_(__VA_ARGS__){nullptr, nullptr}}; \
  }
