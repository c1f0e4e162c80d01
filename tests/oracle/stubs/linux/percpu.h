/* Definitions that Linux's headers require outside Linux. */
#ifndef HYMIR_TESTS_STUBS_PERCPU_H
#define HYMIR_TESTS_STUBS_PERCPU_H

struct cpuinfo_x86;
struct device;
struct pt_regs;

#define DECLARE_PER_CPU(type, name) extern type name
#define DECLARE_BITMAP(name, bits)  unsigned long name[(bits) / 64]
#define EINVAL                      22

#endif
