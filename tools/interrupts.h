// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// SIGINT and SIGTERM of `stint train` -> a flag that the run looks at.
#ifndef STINT_TOOLS_INTERRUPTS_H_
#define STINT_TOOLS_INTERRUPTS_H_

namespace stint {

// From here on the first Ctrl-C or SIGTERM asks, the second one kills. A signal that whoever
// started us had ignored stays so, as for every job that a script puts in the background.
void CatchInterrupts();

// Whether the first one has come.
bool Interrupted();

}  // namespace stint

#endif  // STINT_TOOLS_INTERRUPTS_H_
