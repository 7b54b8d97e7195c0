/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All metrics, one row each: identifier, name, COUNTER (only grows) or GAUGE, unit, help.  The enums and
 * tables of metric.h, the files of the tree and with them the manual, the exposition for Prometheus and the
 * columns of tables are made from these lists.
 */
#pragma once

/* clang-format off */

/* Of a guest. */
#define VIRFS_VM_OWN_METRICS(M) \
  M (CPU_TIME, "cpu_time", COUNTER, SECONDS, "CPU time that it has used on its host") \
  M (CPU_USER, "cpu_user", COUNTER, SECONDS, "the part of it in user mode, the guest itself") \
  M (CPU_SYSTEM, "cpu_system", COUNTER, SECONDS, "the part of it in the kernel of its host") \
  M (VCPU_WAIT, "vcpu_wait", COUNTER, SECONDS, "time that its virtual CPUs waited, as for I/O") \
  M (VCPU_STEAL, "vcpu_steal", COUNTER, SECONDS, "time that its virtual CPUs were ready and others had the CPU") \
  M (VCPUS, "vcpus", GAUGE, NUMBER, "virtual CPUs that it has") \
  M (MEMORY_CURRENT, "memory_current", GAUGE, BYTES, "memory that the balloon leaves it") \
  M (MEMORY_MAX, "memory_max", GAUGE, BYTES, "memory that it can have at most") \
  M (MEMORY_RSS, "memory_rss", GAUGE, BYTES, "memory of its host that it really takes") \
  M (MEMORY_AVAILABLE, "memory_available", GAUGE, BYTES, "memory that its system manages, as that tells") \
  M (MEMORY_UNUSED, "memory_unused", GAUGE, BYTES, "memory that its system uses for nothing") \
  M (MEMORY_USABLE, "memory_usable", GAUGE, BYTES, "memory that its system could use without swapping") \
  M (MEMORY_CACHES, "memory_caches", GAUGE, BYTES, "memory that its system has as caches of disks") \
  M (SWAP_IN, "swap_in", COUNTER, BYTES, "memory that its system has read from swap") \
  M (SWAP_OUT, "swap_out", COUNTER, BYTES, "memory that its system has written to swap") \
  M (MAJOR_FAULTS, "major_faults", COUNTER, NUMBER, "page faults of its system that took a disk")

/* Of a disk; a guest has the sums. */
#define VIRFS_DISK_METRICS(M) \
  M (READ_BYTES, "read_bytes", COUNTER, BYTES, "bytes read") \
  M (READ_REQUESTS, "read_requests", COUNTER, NUMBER, "requests to read") \
  M (READ_TIME, "read_time", COUNTER, SECONDS, "time that reading took") \
  M (WRITE_BYTES, "write_bytes", COUNTER, BYTES, "bytes written") \
  M (WRITE_REQUESTS, "write_requests", COUNTER, NUMBER, "requests to write") \
  M (WRITE_TIME, "write_time", COUNTER, SECONDS, "time that writing took") \
  M (FLUSH_REQUESTS, "flush_requests", COUNTER, NUMBER, "requests to flush") \
  M (FLUSH_TIME, "flush_time", COUNTER, SECONDS, "time that flushing took") \
  M (ERRORS, "errors", COUNTER, NUMBER, "requests that failed, where the hypervisor tells") \
  M (CAPACITY, "capacity", GAUGE, BYTES, "size that the guest sees") \
  M (ALLOCATION, "allocation", GAUGE, BYTES, "how far it is written, in an image the highest byte") \
  M (PHYSICAL, "physical", GAUGE, BYTES, "bytes that it takes on its host")

/* Of a NIC; a guest has the sums.  Received is what the guest gets. */
#define VIRFS_NIC_METRICS(M) \
  M (RX_BYTES, "rx_bytes", COUNTER, BYTES, "bytes received") \
  M (RX_PACKETS, "rx_packets", COUNTER, NUMBER, "packets received") \
  M (RX_ERRORS, "rx_errors", COUNTER, NUMBER, "errors in receiving") \
  M (RX_DROPS, "rx_drops", COUNTER, NUMBER, "packets dropped in receiving") \
  M (TX_BYTES, "tx_bytes", COUNTER, BYTES, "bytes sent") \
  M (TX_PACKETS, "tx_packets", COUNTER, NUMBER, "packets sent") \
  M (TX_ERRORS, "tx_errors", COUNTER, NUMBER, "errors in sending") \
  M (TX_DROPS, "tx_drops", COUNTER, NUMBER, "packets dropped in sending")

/* Of a host. */
#define VIRFS_HOST_METRICS(M) \
  M (CPU_USER, "cpu_user", COUNTER, SECONDS, "time of all CPUs in user mode, where guests run") \
  M (CPU_SYSTEM, "cpu_system", COUNTER, SECONDS, "time of all CPUs in the kernel") \
  M (CPU_IDLE, "cpu_idle", COUNTER, SECONDS, "time of all CPUs with nothing to do") \
  M (CPU_IOWAIT, "cpu_iowait", COUNTER, SECONDS, "time of all CPUs with nothing to do but wait for I/O") \
  M (MEMORY_TOTAL, "memory_total", GAUGE, BYTES, "memory") \
  M (MEMORY_FREE, "memory_free", GAUGE, BYTES, "memory used for nothing") \
  M (MEMORY_CACHED, "memory_cached", GAUGE, BYTES, "memory that caches files") \
  M (MEMORY_BUFFERS, "memory_buffers", GAUGE, BYTES, "memory that buffers devices") \
  M (GUESTS_ACTIVE, "guests_active", GAUGE, NUMBER, "guests that have a process") \
  M (VCPUS_PROMISED, "vcpus_promised", GAUGE, NUMBER, "virtual CPUs that these have") \
  M (MEMORY_PROMISED, "memory_promised", GAUGE, BYTES, "memory that these were promised")

/* Of a pool; of these there is only a history. */
#define VIRFS_POOL_METRICS(M) \
  M (CAPACITY, "capacity", GAUGE, BYTES, "size") \
  M (ALLOCATION, "allocation", GAUGE, BYTES, "bytes that are taken") \
  M (AVAILABLE, "available", GAUGE, BYTES, "bytes that are free")

/*
 * What is made of two samples: identifier, name, unit, the counter that it is of (of a host's CPUs: see
 * metric_merge.c), what that is divided by (TIME or another counter), help.  Prometheus makes these
 * itself.
 */
#define VIRFS_VM_RATES(M) \
  M (CPU_PERCENT, "cpu_percent", PERCENT, CPU_TIME, TIME, "CPU time over the last interval, of all its virtual CPUs") \
  M (STEAL_PERCENT, "steal_percent", PERCENT, VCPU_STEAL, TIME, "time that others had its CPUs, of all its virtual CPUs") \
  M (DISK_READ_RATE, "disk_read_rate", NUMBER, DISK_READ_BYTES, TIME, "bytes a second that its disks read") \
  M (DISK_READ_IOPS, "disk_read_iops", NUMBER, DISK_READ_REQUESTS, TIME, "requests a second to read") \
  M (DISK_READ_LATENCY, "disk_read_latency", SECONDS, DISK_READ_TIME, DISK_READ_REQUESTS, "how long one took on the average") \
  M (DISK_WRITE_RATE, "disk_write_rate", NUMBER, DISK_WRITE_BYTES, TIME, "bytes a second that its disks write") \
  M (DISK_WRITE_IOPS, "disk_write_iops", NUMBER, DISK_WRITE_REQUESTS, TIME, "requests a second to write") \
  M (DISK_WRITE_LATENCY, "disk_write_latency", SECONDS, DISK_WRITE_TIME, DISK_WRITE_REQUESTS, "how long one took on the average") \
  M (NET_RX_RATE, "net_rx_rate", NUMBER, NET_RX_BYTES, TIME, "bytes a second that it receives") \
  M (NET_TX_RATE, "net_tx_rate", NUMBER, NET_TX_BYTES, TIME, "bytes a second that it sends")

#define VIRFS_HOST_RATES(M) \
  M (CPU_PERCENT, "cpu_percent", PERCENT, CPU_USER, TIME, "how busy all CPUs were over the last interval") \
  M (IOWAIT_PERCENT, "iowait_percent", PERCENT, CPU_IOWAIT, TIME, "how long they waited for I/O over the last interval")
/* clang-format on */
