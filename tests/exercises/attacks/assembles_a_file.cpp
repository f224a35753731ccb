// Lets the assembler read a file, and say what is wrong with it.
#include "contract.hpp"

asm(".inc"
    "lude \"@SECRET@\"");
