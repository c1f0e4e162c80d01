/*
 * Which CPUs are threads of one core: SDM 3A, "Detecting Hardware Multi-Threading Support
 * and Topology"; APM 3, "Multiple Core Processor Topology". Pure.
 */
#ifndef HYMIR_VIRT_THREADS_H
#define HYMIR_VIRT_THREADS_H

#include "cpu/cpuid.h"

/* Returns the number of bits that count different values need. */
unsigned int threads_bits_of(uint32_t count);

/*
 * Returns the number of low bits of its APIC ID that tell the threads of a core apart:
 * the CPUs whose IDs agree in the others share a core.
 */
unsigned int threads_id_bits(cpuid_reader *read);

#endif
