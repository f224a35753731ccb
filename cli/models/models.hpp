// The commands of this program.
#pragma once

namespace moe {

int generate_main(int argc, char** argv);   // text from a checkpoint
int convert_main(int argc, char** argv);    // a model from one file layout to another
int tokenizer_main(int argc, char** argv);  // a byte-level BPE: train, encode, decode

}  // namespace moe
