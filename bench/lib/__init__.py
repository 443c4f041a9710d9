# SPDX-License-Identifier: Apache-2.0
"""What bench/run and bench/report are made of."""
