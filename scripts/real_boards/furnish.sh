# shellcheck shell=bash
# What makes a Debian look like a TX2: two skeletons, laid over the Debian root.
# skeleton-r28 is JetPack 3 (boards of odd number), skeleton-r32 is JetPack 4 (even).
# Sourced by scripts/real-boards, which sets $folder and $parts.
# The clocks are those of a board that was just booted in mode 3, MAXP_CORE_ARM.
# shellcheck disable=SC2154

cpu_steps="345600 499200 652800 806400 960000 1113600 1267200 1420800 1574400 1728000 1881600 2035200"

# Both tables of GPU clocks that are found on TX2s: they differ in two steps.
gpu_steps() {
  local low=114750000 step
  for step in 0 1 2 3 4 5 6; do printf '%d ' $((low + step * 102000000)); done
  case $1 in
    r28) printf '828750000 930750000 1032750000 1134750000 ' ;;
    r32) printf '854250000 930750000 1032750000 1122000000 ' ;;
  esac
  printf '1236750000 1300500000\n'
}

# put FILE TEXT: a file of the skeleton that is being made ($skeleton), and its folders.
put() {
  mkdir -p "$skeleton${1%/*}"
  printf '%b' "$2" >"$skeleton$1"
}

# stand_in NAME PATH: a program of the skeleton that is being made.
stand_in() {
  install -D -m 755 "$parts/stand-ins/$1" "$skeleton$2"
}

put_cpus() {
  local cpus=/sys/devices/system/cpu cpu
  for cpu in 0 1 2 3 4 5; do
    put "$cpus/cpu$cpu/online" "$([[ $cpu == [12] ]] && echo 0 || echo 1)\n"
    case $cpu in
      0 | 1) ;;
      2) ln -s ../cpu1/cpufreq "$skeleton$cpus/cpu$cpu/cpufreq"; continue ;;
      *) ln -s ../cpu0/cpufreq "$skeleton$cpus/cpu$cpu/cpufreq"; continue ;;
    esac
    put "$cpus/cpu$cpu/cpufreq/scaling_available_frequencies" "$cpu_steps\n"
    put "$cpus/cpu$cpu/cpufreq/scaling_governor" 'schedutil\n'
    put "$cpus/cpu$cpu/cpufreq/scaling_min_freq" '345600\n'
    put "$cpus/cpu$cpu/cpufreq/scaling_max_freq" '2035200\n'
    put "$cpus/cpu$cpu/cpufreq/scaling_cur_freq" '345600\n'
  done
  put $cpus/possible '0-5\n'
  put $cpus/present '0-5\n'
}

put_gpu_and_memory() {
  local gpu=/sys/devices/17000000.gp10b/devfreq/17000000.gp10b emc=/sys/kernel/debug/bpmp/debug/clk/emc
  put $gpu/available_frequencies "$(gpu_steps "$1")\n"
  put $gpu/min_freq '114750000\n'
  put $gpu/cur_freq '114750000\n'
  put $gpu/max_freq "$([ "$1" = r28 ] && echo 1134750000 || echo 1122000000)\n"
  put /sys/devices/17000000.gp10b/load '0\n'
  put /sys/devices/17000000.gp10b/railgate_enable '1\n'
  mkdir -p "$skeleton/sys/devices/gpu.0" "$skeleton/sys/class/devfreq"
  ln -s ../17000000.gp10b/devfreq "$skeleton/sys/devices/gpu.0/devfreq"
  ln -s ../../devices/17000000.gp10b/devfreq/17000000.gp10b "$skeleton/sys/class/devfreq/"
  put /sys/kernel/nvpmodel_emc_cap/emc_iso_cap '1600000000\n'
  put $emc/min_rate '40800000\n'
  put $emc/max_rate '1866000000\n'
  put $emc/rate '665600000\n'
  put $emc/mrq_rate_locked '0\n'
  chmod 700 "$skeleton/sys/kernel/debug"
}

put_sensors() {
  local index=0 zone ina=/sys/bus/i2c/drivers/ina3221x
  for zone in BCPU-therm:41500 MCPU-therm:41500 GPU-therm:39000 PLL-therm:41500 \
    Tboard_tegra:36000 Tdiode_tegra:38250 PMIC-Die:100000 thermal-fan-est:40700; do
    put "/sys/devices/virtual/thermal/thermal_zone$index/type" "${zone%:*}\n"
    put "/sys/devices/virtual/thermal/thermal_zone$index/temp" "${zone#*:}\n"
    index=$((index + 1))
  done
  mkdir -p "$skeleton/sys/class"
  ln -s ../devices/virtual/thermal "$skeleton/sys/class/thermal"
  put_rail $ina/0-0040/iio:device0 0 VDD_SYS_GPU 190
  put_rail $ina/0-0040/iio:device0 1 VDD_SYS_SOC 610
  put_rail $ina/0-0040/iio:device0 2 VDD_4V0_WIFI 19
  put_rail $ina/0-0041/iio:device1 0 VDD_IN 3420
  put_rail $ina/0-0041/iio:device1 1 VDD_SYS_CPU 760
  put_rail $ina/0-0041/iio:device1 2 VDD_SYS_DDR 640
  put /sys/devices/pwm-fan/target_pwm '0\n'
  put /sys/devices/pwm-fan/temp_control '1\n'
}

# put_rail FOLDER INDEX NAME MILLIWATTS
put_rail() {
  put "$1/rail_name_$2" "$3\n"
  put "$1/in_power$2_input" "$4\n"
}

put_identity() {
  # /proc/device-tree is a link to this place; in a chroot only the place can be made.
  put /sys/firmware/devicetree/base/model 'quill\0'
  put /sys/firmware/devicetree/base/compatible \
    'nvidia,p2597-0000+p3310-1000\0nvidia,quill\0nvidia,tegra186\0'
  # As on Ubuntu: the sbin folders are on every user's path, and nvpmodel is in one.
  put /etc/environment \
    'PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games"\n'
  case $1 in
    r28) put /etc/nv_tegra_release '# R28 (release), REVISION: 2.1, GCID: 10280021, BOARD: t186ref, EABI: aarch64, DATE: Mon May 14 08:00:00 UTC 2018\n' ;;
    r32) put /etc/nv_tegra_release '# R32 (release), REVISION: 5.1, GCID: 10320051, BOARD: t186ref, EABI: aarch64, DATE: Fri Feb 19 08:00:00 UTC 2021\n' ;;
  esac
}

# make_skeleton RELEASE FOLDER
make_skeleton() {
  local release=$1 skeleton=$2
  put_cpus
  put_gpu_and_memory "$release"
  put_sensors
  put_identity "$release"
  stand_in board-init /sbin/board-init
  stand_in nvpmodel /usr/sbin/nvpmodel
  install -D -m 644 "$parts/stand-ins/nvpmodel.conf" "$skeleton/etc/nvpmodel.conf"
  case $release in
    r28)
      stand_in jetson_clocks /home/nvidia/jetson_clocks.sh
      stand_in tegrastats /home/nvidia/tegrastats
      ;;
    r32)
      stand_in jetson_clocks /usr/bin/jetson_clocks
      stand_in tegrastats /usr/bin/tegrastats
      ;;
  esac
  stand_in caffe /home/nvidia/caffe/build/tools/caffe
  stand_in caffe-gpu-front /home/nvidia/caffe-gpu-front/build/tools/caffe
  install -D -m 600 "$folder/keys/id_ed25519.pub" "$skeleton/home/nvidia/.ssh/authorized_keys"
  chmod 700 "$skeleton/home/nvidia/.ssh"
  cp "$base"/etc/skel/.[a-z]* "$skeleton/home/nvidia/"
  chown -R 1000:1000 "$skeleton/home/nvidia"
}

# Sets $recipe. Skeletons are named by what they are made of, so that boards that run keep
# theirs when a newer checkout makes others.
make_skeletons() {
  local release skeleton
  recipe=$(cat "$parts"/furnish.sh "$parts"/stand-ins/* "$folder/keys/id_ed25519.pub" |
    sha256sum | cut -c1-12)
  for release in r28 r32; do
    skeleton=$folder/skeletons/$release-$recipe
    [ ! -d "$skeleton" ] || continue
    rm -rf "$skeleton.new"
    make_skeleton "$release" "$skeleton.new"
    mv "$skeleton.new" "$skeleton"
  done
}
