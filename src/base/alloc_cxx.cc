/* SPDX-License-Identifier: Apache-2.0
 *
 * RocksDB knows a lack of memory and of threads as exceptions, which end in std::terminate when they come out of its C
 * functions or of its own threads: they are told like our own.
 */
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

#include "base/alloc.h"

namespace
{

[[noreturn]] void terminated()
{
    try {
        if (std::current_exception() != nullptr) {
            std::rethrow_exception(std::current_exception());
        }
    } catch (const std::bad_alloc &) {
        hr_out_of_memory("in the state store");
    } catch (const std::system_error &error) {
        hr_out_of_memory(error.code() == std::errc::resource_unavailable_try_again ? "no thread for the state store"
                                                                                   : error.what());
    } catch (...) {
        std::abort();
    }
    std::abort();
}

} // namespace

void hr_out_of_memory_in_libraries(void)
{
    std::set_terminate(terminated);
}
