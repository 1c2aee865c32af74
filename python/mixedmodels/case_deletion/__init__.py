"""Case deletion: estimates without rows or levels, and the measures of influence that follow from them."""
