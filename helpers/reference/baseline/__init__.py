"""The ConvNet of `lr_schedules`, which other assignments compare their networks with."""
