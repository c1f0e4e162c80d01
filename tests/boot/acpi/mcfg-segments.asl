/*
 * An MCFG of machine q35 in QEMU under BIOS: the configuration space of segment 0 appears as that of segment 1 too, and
 * segments 2 to 4 are in RAM, at an invalid address and at an I/O APIC.
 */
[0004]                          Signature : "MCFG"
[0004]                       Table Length : 00000000
[0001]                           Revision : 01
[0001]                           Checksum : 00
[0006]                             Oem ID : "HYMIR "
[0008]                       Oem Table ID : "FIXTURE "
[0004]                       Oem Revision : 00000001
[0004]                    Asl Compiler ID : "INTL"
[0004]              Asl Compiler Revision : 20200925

[0008]                           Reserved : 0000000000000000

[0008]                       Base Address : 00000000B0000000
[0002]               Segment Group Number : 0000
[0001]                   Start Bus Number : 00
[0001]                     End Bus Number : FF
[0004]                           Reserved : 00000000

[0008]                       Base Address : 00000000B0000000
[0002]               Segment Group Number : 0001
[0001]                   Start Bus Number : 00
[0001]                     End Bus Number : FF
[0004]                           Reserved : 00000000

[0008]                       Base Address : 0000000001000000
[0002]               Segment Group Number : 0002
[0001]                   Start Bus Number : 00
[0001]                     End Bus Number : 00
[0004]                           Reserved : 00000000

[0008]                       Base Address : 00000000B0001000
[0002]               Segment Group Number : 0003
[0001]                   Start Bus Number : 00
[0001]                     End Bus Number : 00
[0004]                           Reserved : 00000000

[0008]                       Base Address : 00000000FEC00000
[0002]               Segment Group Number : 0004
[0001]                   Start Bus Number : 00
[0001]                     End Bus Number : 00
[0004]                           Reserved : 00000000
