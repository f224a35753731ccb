// What the checked device knows about memory: which allocations are alive, of how many bytes exactly, and which of their
// bytes have a value. Whoever hands out, takes back or fills a checked context's memory says so here; a kernel that
// touches memory nobody told of is out of bounds. Thread-safe. Nothing remains of it in a build without that device.
#pragma once

#include <cstddef>

namespace moe::simt {

#ifdef MOE_HAVE_CHECKED
// `bytes` as asked for, not as rounded up. Its bytes are undefined. Takes the place of what it overlaps.
void memory_allocated(const void* begin, std::size_t bytes);
// Before the memory can be handed out again. Does nothing, fast, for memory that was not told of.
void memory_released(const void* begin) noexcept;
// The host gave these bytes a value: a copy, a fill.
void memory_written(const void* begin, std::size_t bytes);
#else
inline void memory_allocated(const void*, std::size_t) {}
inline void memory_released(const void*) noexcept {}
inline void memory_written(const void*, std::size_t) {}
#endif

}  // namespace moe::simt
