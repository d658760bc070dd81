#!/bin/sh
# test_booking.sh BOOKING LIBRARY - sixteen processes book eight GPUs (booking.c), XL_BOOKING_ROUNDS times
# each (1000).
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$2" "$work" "${XL_BOOKING_ROUNDS:-1000}"
