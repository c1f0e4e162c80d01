/*
 * The thermal interrupt of a CPU. SDM 3B, "Power and Thermal Management", "Thermal
 * Monitoring and Protection".
 */
#ifndef HYMIR_PLATFORM_THERMAL_H
#define HYMIR_PLATFORM_THERMAL_H

/*
 * Programs the thermal interrupt of the executing CPU, if the processor has one and
 * firmware does not take it as an SMI. After local_sources_mask.
 */
void thermal_start(void);

#endif
