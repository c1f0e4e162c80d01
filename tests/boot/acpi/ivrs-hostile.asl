/* An IVRS table whose units are in RAM, in Hymir's image, unaligned, at the end of the address space, and absent. */
[0004]                          Signature : "IVRS"
[0004]                       Table Length : 00000000
[0001]                           Revision : 02
[0001]                           Checksum : 00
[0006]                             Oem ID : "HYMIR "
[0008]                       Oem Table ID : "FIXTURE "
[0004]                       Oem Revision : 00000001
[0004]                    Asl Compiler ID : "INTL"
[0004]              Asl Compiler Revision : 20200925

[0004]                Virtualization Info : 00203043
[0008]                           Reserved : 0000000000000000

[0001]                      Subtable Type : 10 [Hardware Definition Block]
[0001]                              Flags : B0
[0002]                             Length : 0018
[0002]                           DeviceId : 0000
[0002]                  Capability Offset : 0040
[0008]                       Base Address : 0000000000800000
[0002]                  PCI Segment Group : 0000
[0002]                Virtualization Info : 0000
[0004]                  Feature Reporting : 80048F6E

[0001]                      Subtable Type : 11 [Hardware Definition Block]
[0001]                              Flags : B0
[0002]                             Length : 0028
[0002]                           DeviceId : 0001
[0002]                  Capability Offset : 0040
[0008]                       Base Address : 0000000000200000
[0002]                  PCI Segment Group : 0000
[0002]                Virtualization Info : 0000
[0004]                         Attributes : 00048000
[0008]                          EFR Image : 246577EFA2254AFA
[0008]                           Reserved : 0000000000000000

[0001]                      Subtable Type : 10 [Hardware Definition Block]
[0001]                              Flags : B0
[0002]                             Length : 0018
[0002]                           DeviceId : 0002
[0002]                  Capability Offset : 0040
[0008]                       Base Address : 00000000FED81000
[0002]                  PCI Segment Group : 0000
[0002]                Virtualization Info : 0000
[0004]                  Feature Reporting : 80048F6E

[0001]                      Subtable Type : 11 [Hardware Definition Block]
[0001]                              Flags : B0
[0002]                             Length : 0028
[0002]                           DeviceId : 0003
[0002]                  Capability Offset : 0040
[0008]                       Base Address : FFFFFFFFFFFFC000
[0002]                  PCI Segment Group : 0000
[0002]                Virtualization Info : 0000
[0004]                         Attributes : 00048000
[0008]                          EFR Image : 246577EFA2254AFA
[0008]                           Reserved : 0000000000000000

[0001]                      Subtable Type : 10 [Hardware Definition Block]
[0001]                              Flags : B0
[0002]                             Length : 0018
[0002]                           DeviceId : 0004
[0002]                  Capability Offset : 0040
[0008]                       Base Address : 00000000FED84000
[0002]                  PCI Segment Group : 0000
[0002]                Virtualization Info : 0000
[0004]                  Feature Reporting : 80048F6E
