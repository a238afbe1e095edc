"""The whole gateway in one thread, on a clock, a network and a disk that are made up: hours in a fraction of a second.

One seed decides everything, so a run that fails can be run again, with its story told. The gateway is the real one,
put together by `ttgateway.assembly` as twistd runs it, on a real SQLite file.

``clock``      simulated time, and the timers of one process in it
``machine``    the appliance: its clocks, its disk and its power; the processes that run on it, one after the other
``network``    connections from the gateway to listeners, and names that may lead anywhere
``listeners``  devices that are told of orders, in good and bad moods
``line``       connections from clients to the gateway
``people``     tills that post orders, and readers that follow them
``orders``     what the commands of one order must have left in the journal
``told``       what each listener was told, and whether it should have been
``model``      the rules, checked from what goes over the wires and what lies in the file
``fates``      what befalls the machine and the devices, and how often: the profile of a seed
``misfortunes``  when and how that happens
``readers``    screens on WebSockets, and programs that ask for what they missed
``world``      one run
``ending``     how it ends
``report``     what it came to
``runs``       many of them
"""
