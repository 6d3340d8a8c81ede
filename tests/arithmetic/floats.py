"""Numbers and the loss's functions: sections "Numbers" and "Loss" of docs/arithmetic.md."""
import numpy as np

f32, f64 = np.float32, np.float64


def fma(a, b, c):
    """Numbers: a * b + c with one rounding.

    The product is exact in double. The sum is rounded to odd there: of the two doubles around the
    exact sum, the one whose last bit is 1. Rounding that one to float is rounding the exact sum.
    """
    product = np.asarray(a, f32).astype(f64) * np.asarray(b, f32).astype(f64)
    c = np.asarray(c, f32).astype(f64)
    total = np.array(product + c)
    from_c = total - product
    error = (product - (total - from_c)) + (c - from_c)
    bits = total.view(np.int64)
    even = (error != 0) & (bits & 1 == 0)
    bits += np.where(even, np.where((error > 0) == (total > 0), 1, -1), 0)
    return total.astype(f32)


def power_of_two(exponent):
    """2^exponent, exactly."""
    return np.exp2(exponent.astype(f64)).astype(f32)


def exp_of(x):
    """Loss: exp of floats."""
    usual = x >= -104
    x = np.where(usual, x, f32(0))
    q = fma(x, 1.442695040888963407, np.copysign(f32(0.5), x)).astype(np.int64)
    r = fma(q, -1.428606765330187045e-6, fma(q, -0.693145751953125, x))
    r2 = r * r
    a = fma(0.166666671633720397949219, r, 0.5)
    b = fma(0.00833336077630519866943359, r, 0.0416664853692054748535156)
    c = fma(0.000198527617612853646278381, r, 0.00139304355252534151077271)
    p = fma(r2 * r2, c, fma(r2, b, a))
    h = q >> 1
    e = (fma(p, r2, r) + f32(1)) * power_of_two(h) * power_of_two(q - h)
    return np.where(usual, e, f32(0))


def log_of(x):
    """Loss: log of floats."""
    bits = x.view(np.int32) + np.int32(0x3f800000 - 0x3f3504f3)
    e = ((bits >> 23) - 127).astype(f32)
    m = ((bits & 0x7fffff) + 0x3f3504f3).astype(np.int32).view(f32)
    below_1 = m - f32(1)
    z = below_1 / (m + f32(1))
    z2 = z * z
    z4 = z2 * z2
    a = fma(0.24279078841, z4, 0.40000972152) * z4
    p = fma(fma(0.28498786688, z4, 0.66666662693), z2, a)
    l = fma(z, below_1 - p, -(e * f32(9.0580006145e-6)))
    return fma(e, 0.69313812256, -(l - below_1))
